package io.github.gtr4j.bench.cpu;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.gtr4j.kernel.Precision;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * One side of whole images in a process of its own, so that its memory is its own. It warms up,
 * writes an {@link ImageSide.Ready} as a line of JSON, and then answers every line that it reads
 * with a batch and its {@link ImageTime}, until its input ends.
 */
public final class ImageServer {
  private static final ObjectMapper JSON = new ObjectMapper();

  private ImageServer() {}

  /**
   * Serves.
   *
   * @param args whether through Java, model, precision, images, threads
   */
  public static void main(String[] args) throws IOException {
    boolean java = Boolean.parseBoolean(args[0]);
    ImageCase c =
        new ImageCase(
            ModelSize.valueOf(args[1]), Precision.valueOf(args[2]), Integer.parseInt(args[3]));
    int threads = Integer.parseInt(args[4]);
    try (ImageSampler sampler = java ? new GtrImages(c, threads) : new NativeImages(c, threads)) {
      serve(sampler);
    }
  }

  private static void serve(ImageSampler sampler) throws IOException {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    sampler.run();
    out.println(
        JSON.writeValueAsString(new ImageSide.Ready(sampler.name(), sampler.plannedBytes())));
    while (in.readLine() != null) {
      ImageTime time = sampler.run();
      out.println(
          JSON.writeValueAsString(
              new ImageTime(
                  time.seconds(), time.backboneSeconds(), time.headSeconds(), residentPeak())));
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
