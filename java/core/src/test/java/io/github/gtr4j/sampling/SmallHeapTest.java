package io.github.gtr4j.sampling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.device.Device;
import io.github.gtr4j.kernel.Precision;
import io.github.gtr4j.model.GoldenCases;
import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.model.MarModel;
import io.github.gtr4j.schedule.GtrSchedule;
import io.github.gtr4j.schedule.Guidance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Native memory is no burden of the Java heap: a JVM with a small one samples with a large model.
 */
class SmallHeapTest {
  @TempDir private Path folder;

  @Test
  void samplesWithAHeapOf128MiB() throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx128m");
    if (Runtime.version().feature() >= 22) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    for (String property : List.of("gtr4j.library.path", "java.io.tmpdir")) {
      if (System.getProperty(property) != null) {
        command.add("-D" + property + "=" + System.getProperty(property));
      }
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    assertTrue(process.waitFor(5, TimeUnit.MINUTES));
    String errors = Files.readString(err);
    assertEquals("", errors);
    assertEquals(0, process.exitValue());
    assertEquals("finite finite\n", Files.readString(out));
  }

  /** Runs in the small JVM. */
  static final class Main {
    private Main() {}

    public static void main(String[] arguments) throws InterruptedException {
      // 120 MB of weights in the second one, and as much again while it runs.
      MarConfiguration large =
          MarConfiguration.builder()
              .grid(8, 8)
              .channels(16)
              .buffer(16)
              .width(512)
              .blocks(4, 4)
              .heads(8)
              .head(2, 512)
              .classes(1000)
              .build();
      try (Device device = Device.cpu();
          MarModel fashion = MarModel.load(device, GoldenCases.fashionModel(), Precision.F32);
          MarModel random = MarModel.random(device, large, Precision.F32, 1)) {
        if (random.weightBytes() < 100_000_000) {
          throw new AssertionError("the model is too small to show anything");
        }
        System.out.print(sample(fashion) + " " + sample(random) + "\n");
      }
    }

    private static String sample(MarModel model) throws InterruptedException {
      try (Sampler sampler = new Sampler(model)) {
        SamplingRequest request =
            SamplingRequest.builder(model)
                .label(3)
                .schedule(
                    GtrSchedule.builder()
                        .steps(2, 1, 1)
                        .tMax(4)
                        .tMin(2)
                        .tReconstruction(2)
                        .tDetail(4)
                        .build())
                .guidance(Guidance.linear(2))
                .build();
        for (float value : sampler.submit(request).get().latents()) {
          if (!Float.isFinite(value)) {
            return "not finite";
          }
        }
        return "finite";
      }
    }
  }
}
