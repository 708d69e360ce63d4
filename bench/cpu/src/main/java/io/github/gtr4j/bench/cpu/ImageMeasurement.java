package io.github.gtr4j.bench.cpu;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Measures whole images: every side is a process that has sampled once, and then they take turns,
 * the machine's peaks among them: a shared machine's speed changes from one minute to the next. All
 * of that several times: where its memory lies makes a process faster or slower by some percent for
 * as long as it runs.
 *
 * @param threads that work on a call, of each side
 * @param starts of every side
 * @param rounds after each start, in which every side samples once
 * @param python with PyTorch; null: no peer
 */
record ImageMeasurement(int threads, int starts, int rounds, String python) {
  private static final Path PEER = Path.of("bench", "peers", "torch_image.py");

  ImageResult run(ImageCase c) {
    List<List<String>> commands = new ArrayList<>(List.of(server(c, true), server(c, false)));
    if (python != null) {
      commands.add(peer(c));
    }
    List<List<ImageTime>> times = new ArrayList<>();
    commands.forEach(command -> times.add(new ArrayList<>()));
    List<Peaks> peaks = new ArrayList<>(); // around our turns
    List<ImageSide.Ready> sides = List.of();
    for (int start = 0; start < starts; start++) {
      sides = start(commands, start * rounds, times, peaks);
    }
    List<ImageResult.Side> results = new ArrayList<>();
    for (int i = 0; i < sides.size(); i++) {
      results.add(ImageResult.Side.of(sides.get(i), times.get(i), c.images()));
    }
    return ImageResult.of(
        c,
        c.flops(),
        peaks,
        times.get(0),
        times.get(1),
        results.get(0),
        results.get(1),
        python == null ? null : results.get(2));
  }

  /** Starts every side, and adds what its rounds took. */
  private List<ImageSide.Ready> start(
      List<List<String>> commands, int first, List<List<ImageTime>> times, List<Peaks> peaks) {
    List<ImageSide> sides = new ArrayList<>();
    try {
      for (List<String> command : commands) {
        sides.add(new ImageSide(command));
      }
      Peaks last = Peaks.measure(threads);
      for (int round = first; round < first + rounds; round++) {
        for (int turn = 0; turn < sides.size(); turn++) {
          // Everyone comes first as often as the others.
          int i = (round + turn) % sides.size();
          Peaks before = last;
          ImageTime time = sides.get(i).run();
          last = Peaks.measure(threads);
          times.get(i).add(time);
          if (i == 0) {
            peaks.add(Peaks.mean(before, last));
          }
        }
      }
      return sides.stream().map(ImageSide::ready).toList();
    } finally {
      sides.forEach(ImageSide::close);
    }
  }

  private List<String> server(ImageCase c, boolean java) {
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
    command.add(String.valueOf(java));
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
