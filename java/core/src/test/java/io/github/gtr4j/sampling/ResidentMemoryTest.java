package io.github.gtr4j.sampling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.ForkedJvm;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.kernel.Precision;
import io.github.gtr4j.model.GoldenCases;
import io.github.gtr4j.model.MarModel;
import io.github.gtr4j.schedule.GtrSchedule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/**
 * What the operating system says of the process, as a second check beside the counted memory: it
 * would see memory that the library forgot to count.
 */
@EnabledOnOs(OS.LINUX)
class ResidentMemoryTest {
  private static final int ROUNDS = 20;
  private static final long WEIGHTS = 18_000_000;

  @Test
  void loadingSamplingAndClosingLeavesNothingBehind() throws IOException, InterruptedException {
    ForkedJvm.Result result = ForkedJvm.run(Main.class, List.of("-Xmx64m"));
    assertEquals("", result.err());
    assertEquals(0, result.exitCode());
    long growth = Long.parseLong(result.out().trim());
    assertTrue(
        growth < ROUNDS * WEIGHTS / 4,
        "resident memory grew by " + growth + " bytes in " + ROUNDS + " rounds");
  }

  /** Prints by how many bytes the rounds after the first ones made the process grow. */
  public static final class Main {
    private Main() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
      try (Device device = Device.cpu()) {
        rounds(device, 5);
        long before = residentBytes();
        rounds(device, ROUNDS);
        System.out.println(residentBytes() - before);
      }
    }

    private static void rounds(Device device, int count) throws InterruptedException {
      GtrSchedule schedule =
          GtrSchedule.builder().steps(1, 1).tMax(1).tMin(1).tReconstruction(1).tDetail(1).build();
      for (int round = 0; round < count; round++) {
        try (MarModel model = MarModel.load(device, GoldenCases.fashionModel(), Precision.F32);
            Sampler sampler = new Sampler(model)) {
          if (model.weightBytes() < WEIGHTS) {
            throw new AssertionError("the model is too small to show anything");
          }
          sampler.submit(SamplingRequest.builder(model).schedule(schedule).build()).get();
        }
      }
    }

    private static long residentBytes() throws IOException {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith("VmRSS:")) {
          return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
        }
      }
      throw new IOException("/proc/self/status has no VmRSS");
    }
  }
}
