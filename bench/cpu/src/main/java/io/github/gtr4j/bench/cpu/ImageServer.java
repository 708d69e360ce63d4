package io.github.gtr4j.bench.cpu;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.jna.ptr.DoubleByReference;
import com.sun.jna.ptr.LongByReference;
import io.github.gtr4j.kernel.Precision;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Our side of whole images in a process of its own, so that its memory is its own: the most that it
 * was resident with after a first batch is its peak. It warms up, writes an {@link ImageSide.Ready}
 * as a line of JSON, and then answers every line that it reads with an {@link ImageTime}, until its
 * input ends: {@code sample} with a batch through Java, {@code replay} with the same calls of
 * libgtr from C++, on the same weights and memory. Its process needs {@link ReplayLibrary#file} in
 * {@code LD_PRELOAD}.
 */
public final class ImageServer {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final GtrImages images;
  private final ReplayLibrary replay = ReplayLibrary.ofThisProcess();
  private final long residentPeak;

  private ImageServer(GtrImages images, long residentPeak) {
    this.images = images;
    this.residentPeak = residentPeak;
  }

  /**
   * Serves.
   *
   * @param args model, precision, images, threads
   */
  public static void main(String[] args) throws IOException {
    ImageCase c =
        new ImageCase(
            ModelSize.valueOf(args[0]), Precision.valueOf(args[1]), Integer.parseInt(args[2]));
    int threads = Integer.parseInt(args[3]);
    try (GtrImages images =
        new GtrImages(c.model().configuration(), c.precision(), c.images(), threads)) {
      images.sample();
      // Before what only the measurement keeps in memory.
      long residentPeak = residentPeak();
      GtrImages.warmUpJava(c.precision(), threads);
      new ImageServer(images, residentPeak).serve();
    }
  }

  private void serve() throws IOException {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    record();
    out.println(JSON.writeValueAsString(new ImageSide.Ready("gtr4j", images.plannedBytes())));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.println(JSON.writeValueAsString(line.equals(ImageSide.REPLAY) ? replay() : sample()));
    }
  }

  private ImageTime sample() {
    librarySeconds();
    ImageTime time = images.sample();
    return new ImageTime(
        time.seconds(), time.backboneSeconds(), time.headSeconds(), librarySeconds(), residentPeak);
  }

  private double librarySeconds() {
    DoubleByReference seconds = new DoubleByReference();
    check(replay.gtr_replay_take_seconds(seconds));
    return seconds.getValue();
  }

  /** Not the first batch, which may allocate. */
  private void record() {
    check(replay.gtr_replay_start());
    images.sample();
    LongByReference calls = new LongByReference();
    check(replay.gtr_replay_stop(calls));
    if (calls.getValue() == 0) {
      throw new IllegalStateException("libgtr_replay saw no call of libgtr");
    }
    replay();
  }

  private ImageTime replay() {
    DoubleByReference seconds = new DoubleByReference();
    check(replay.gtr_replay_run(seconds));
    return new ImageTime(seconds.getValue(), 0, 0, seconds.getValue(), residentPeak);
  }

  private void check(int result) {
    if (result != 0) {
      throw new IllegalStateException(replay.gtr_replay_last_error());
    }
  }

  /** Most that this process had in memory, in bytes. */
  static long residentPeak() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) {
        return 1024 * Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    throw new IOException("/proc/self/status has no VmHWM");
  }
}
