package io.github.gtr4j.bench.cpu;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Measures whole images: every side is a process that has sampled once, and then they take turns,
 * ours through Java and from C++ in the same process, the machine's peaks among them: a shared
 * machine's speed changes from one minute to the next. All of that several times: where its memory
 * lies makes a process faster or slower by some percent for as long as it runs.
 *
 * @param threads that work on a call, of each side
 * @param starts of every side
 * @param rounds after each start, in which every side samples once
 * @param python with PyTorch; null: no peer
 */
record ImageMeasurement(int threads, int starts, int rounds, String python) {
  private static final Path PEER = Path.of("bench", "peers", "torch_image.py");

  ImageResult run(ImageCase c) {
    Times times = new Times();
    for (int start = 0; start < starts; start++) {
      start(c, start * rounds, times);
    }
    return ImageResult.of(
        c,
        c.flops(),
        times.peaks,
        times.java,
        times.replay,
        ImageResult.Side.of(times.ready, times.java, c.images()),
        ImageResult.Side.of(new ImageSide.Ready("libgtr", 0), times.replay, c.images()),
        times.peerReady == null
            ? null
            : ImageResult.Side.of(times.peerReady, times.peer, c.images()));
  }

  /** What all starts' rounds took. */
  private static final class Times {
    private ImageSide.Ready ready;
    private ImageSide.Ready peerReady;
    private final List<Peaks> peaks = new ArrayList<>(); // around our turns through Java
    private final List<ImageTime> java = new ArrayList<>();
    private final List<ImageTime> replay = new ArrayList<>();
    private final List<ImageTime> peer = new ArrayList<>();
  }

  /** One side's turns. */
  private record Turn(Supplier<ImageTime> run, List<ImageTime> times) {}

  /** Starts every side, and adds what its rounds took. */
  private void start(ImageCase c, int first, Times times) {
    Map<String, String> preloaded = Map.of("LD_PRELOAD", ReplayLibrary.file().getPath());
    try (ImageSide ours = new ImageSide(server(c), preloaded);
        ImageSide peer = python == null ? null : new ImageSide(peer(c), Map.of())) {
      times.ready = ours.ready();
      List<Turn> turns = new ArrayList<>();
      turns.add(new Turn(ours::sample, times.java));
      turns.add(new Turn(ours::replay, times.replay));
      if (peer != null) {
        times.peerReady = peer.ready();
        turns.add(new Turn(peer::sample, times.peer));
      }
      Peaks last = Peaks.measure(threads);
      for (int round = first; round < first + rounds; round++) {
        for (int i = 0; i < turns.size(); i++) {
          // Everyone comes first as often as the others.
          Turn turn = turns.get((round + i) % turns.size());
          Peaks before = last;
          turn.times.add(turn.run.get());
          last = Peaks.measure(threads);
          if (turn.times == times.java) {
            times.peaks.add(Peaks.mean(before, last));
          }
        }
      }
    }
  }

  private List<String> server(ImageCase c) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx64m");
    command.add("-XX:+UseSerialGC");
    if (Runtime.version().feature() >= 22) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(ImageServer.class.getName());
    command.add(c.model().name());
    command.add(c.precision().name());
    command.add(String.valueOf(c.images()));
    command.add(String.valueOf(threads));
    return command;
  }

  private List<String> peer(ImageCase c) {
    return List.of(
        python,
        PEER.toString(),
        "--serve",
        "--size",
        c.model().name().toLowerCase(Locale.ROOT),
        "--batch",
        String.valueOf(c.images()),
        "--precision",
        c.precision().name().toLowerCase(Locale.ROOT),
        "--threads",
        String.valueOf(threads));
  }
}
