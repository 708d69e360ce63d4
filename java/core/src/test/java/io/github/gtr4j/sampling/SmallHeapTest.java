package io.github.gtr4j.sampling;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.gtr4j.ForkedJvm;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.kernel.Precision;
import io.github.gtr4j.model.GoldenCases;
import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.model.MarModel;
import io.github.gtr4j.schedule.GtrSchedule;
import io.github.gtr4j.schedule.Guidance;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Native memory is no burden of the Java heap: a JVM with a small one samples with a large model.
 */
class SmallHeapTest {
  @Test
  void samplesWithAHeapOf128MiB() throws IOException, InterruptedException {
    ForkedJvm.Result result = ForkedJvm.run(Main.class, List.of("-Xmx128m"));
    assertEquals("", result.err());
    assertEquals("finite finite\n", result.out());
    assertEquals(0, result.exitCode());
  }

  /** Runs in the small JVM. */
  public static final class Main {
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
