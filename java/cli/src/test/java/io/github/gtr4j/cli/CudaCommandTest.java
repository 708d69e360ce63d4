package io.github.gtr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.checkpoint.CheckpointSource;
import io.github.gtr4j.checkpoint.SafetensorsFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code --device cuda}, on the emulator. */
@Tag("emulator")
@Timeout(300)
class CudaCommandTest {
  @TempDir Path folder;

  private CommandRun sample(String device, Object... options) {
    Object[] common = {
      "sample",
      "--device",
      device,
      "--labels",
      "3",
      "--steps",
      "2,1,1",
      "--t-max",
      "3",
      "--t-min",
      "2",
      "--t-rec",
      "2",
      "--t-detail",
      "3",
      "--out",
      folder.resolve("a.png"),
      "--latents",
      latents(device)
    };
    Object[] args = java.util.Arrays.copyOf(common, common.length + options.length);
    System.arraycopy(options, 0, args, common.length, options.length);
    CommandRun run = CommandRun.of(args);
    assertEquals("", run.err());
    assertEquals(0, run.exitCode());
    return run;
  }

  private Path latents(String device) {
    return folder.resolve(device.replace(':', '-') + ".safetensors");
  }

  private float[] drawn(String device) {
    try (SafetensorsFile file = SafetensorsFile.open(CheckpointSource.of(latents(device)))) {
      return file.readFloats("latents");
    }
  }

  @Test
  void theSamePictureAsOnTheCpu() {
    CommandRun run = sample("cuda");
    assertTrue(run.out().contains(" (cuda:0), f32\n"), run.out());
    assertTrue(run.out().contains("\ndevice: cuda"), run.out());
    assertTrue(!run.out().contains("\ntime: "), "phases are not timed: " + run.out());
    sample("cpu");
    float[] expected = drawn("cpu");
    float[] actual = drawn("cuda");
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow(actual[i] - expected[i], 2);
      norm += Math.pow(expected[i], 2);
    }
    double error = Math.sqrt(difference / norm);
    // The first of so few diffusion steps multiplies what rounding did by thousands.
    assertTrue(error <= 5e-3, "relative error " + error);
  }

  @Test
  void autoTakesTheCardAndJsonNamesIt() {
    Map<String, Object> document = JsonText.parse(sample("auto", "--json").out());
    Map<?, ?> device = (Map<?, ?>) document.get("device");
    assertEquals("cuda", device.get("backend"));
    assertEquals("0", device.get("index").toString());
    assertTrue(device.get("reason").toString().startsWith("auto chose "), device.toString());
    assertNull(document.get("headShare"));
    document = JsonText.parse(sample("cuda:0", "--json", "--time-phases").out());
    assertTrue((double) document.get("headShare") > 0);
  }

  @Test
  void aCardThatDoesNotExist() {
    CommandRun run =
        CommandRun.of("sample", "--device", "cuda:1", "--out", folder.resolve("a.png"));
    assertEquals(2, run.exitCode());
    assertEquals(1, run.errorLines().size(), run.err());
    assertTrue(run.err().startsWith("gtr: --device: options.index is 1; allowed are 0 to 0: "));
    assertEquals("", run.out());
  }

  @Test
  void devicesListsTheCard() {
    CommandRun run = CommandRun.of("devices");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().contains("cuda  1 device: "), run.out());
    assertTrue(run.out().contains("\n      cuda:0      "), run.out());
    assertTrue(run.out().contains(" GiB\nchosen by auto: "), run.out());
    Map<String, Object> document = JsonText.parse(CommandRun.of("devices", "--json").out());
    Map<?, ?> cuda = (Map<?, ?>) ((List<?>) document.get("backends")).get(1);
    Map<?, ?> card = (Map<?, ?>) ((List<?>) cuda.get("cards")).get(0);
    assertTrue(Long.parseLong(card.get("memoryBytes").toString()) > 0, card.toString());
  }
}
