package io.github.gtr4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.checkpoint.CheckpointSource;
import io.github.gtr4j.checkpoint.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SampleCommandTest {
  private static final int IMAGES = 10;
  private static final String ALL_LABELS = "0,1,2,3,4,5,6,7,8,9";

  @TempDir Path folder;

  private Path latents() {
    return folder.resolve("latents.safetensors");
  }

  private Path picture() {
    return folder.resolve("picture.png");
  }

  private CommandRun sample(Object... options) {
    Object[] args = new Object[options.length + 5];
    args[0] = "sample";
    args[1] = "--out";
    args[2] = picture();
    args[3] = "--latents";
    args[4] = latents();
    System.arraycopy(options, 0, args, 5, options.length);
    CommandRun run = CommandRun.of(args);
    assertEquals("", run.err());
    assertEquals(0, run.exitCode());
    return run;
  }

  private static SafetensorsFile golden(String name) {
    return SafetensorsFile.open(
        CheckpointSource.ofResource(SampleCommandTest.class, "/golden/" + name + ".safetensors"));
  }

  /** The norm of each image's difference, relative to the expected norm. */
  private static void assertImagesClose(float[] expected, float[] actual, double tolerance) {
    assertEquals(expected.length, actual.length);
    int size = expected.length / IMAGES;
    for (int image = 0; image < IMAGES; image++) {
      double difference = 0;
      double norm = 0;
      for (int k = image * size; k < (image + 1) * size; k++) {
        difference += Math.pow(actual[k] - expected[k], 2);
        norm += Math.pow(expected[k], 2);
      }
      double error = Math.sqrt(difference / norm);
      assertTrue(error <= tolerance, "image " + image + ": " + error);
    }
  }

  @Test
  void goldenGtrSample() throws IOException {
    sample("--labels", ALL_LABELS, "--seed", 2026, "--cfg", "2.0", "--precision", "f32");
    try (SafetensorsFile golden = golden("fashion_cases");
        SafetensorsFile file = SafetensorsFile.open(latents())) {
      assertTrue(file.tensor("latents").hasShape(IMAGES, 16, 8, 8));
      assertImagesClose(golden.readFloats("gtr_12_3_1.latents"), file.readFloats("latents"), 1e-4);
      assertArrayEquals(golden.readLongs("gtr_12_3_1.order"), file.readLongs("order"));
      assertArrayEquals(
          golden.readLongs("gtr_12_3_1.diffusion_steps"), file.readLongs("diffusion_steps"));
      assertDecodeSteps(file, 16);
    }
    // A sheet of ten columns: pictures of 128 pixels, margins of 8, one row with its label.
    var image = ImageIO.read(picture().toFile());
    assertEquals(10 * 136 + 8, image.getWidth());
    assertEquals(128 + 19 + 16, image.getHeight());
  }

  /** Each cell's step agrees with its place in the order. */
  private static void assertDecodeSteps(SafetensorsFile file, int steps) {
    assertTrue(file.tensor("order").hasShape(IMAGES, 64));
    assertTrue(file.tensor("decode_step").hasShape(IMAGES, 64));
    assertTrue(file.tensor("diffusion_steps").hasShape(IMAGES, 64));
    long[] order = file.readLongs("order");
    long[] step = file.readLongs("decode_step");
    for (int image = 0; image < IMAGES; image++) {
      long last = 0;
      for (int k = 0; k < 64; k++) {
        long now = step[image * 64 + (int) order[image * 64 + k]];
        assertTrue(now == last || now == last + 1);
        last = now;
      }
      assertEquals(steps - 1, last);
    }
  }

  @Test
  void goldenMarSample() {
    sample("--labels", ALL_LABELS, "--seed", 2026, "--schedule", "mar", "--steps", 16);
    try (SafetensorsFile golden = golden("fashion_cases");
        SafetensorsFile file = SafetensorsFile.open(latents())) {
      assertImagesClose(golden.readFloats("mar_16_T100.latents"), file.readFloats("latents"), 1e-4);
      assertArrayEquals(golden.readLongs("mar_16_T100.order"), file.readLongs("order"));
      assertDecodeSteps(file, 16);
      for (long steps : file.readLongs("diffusion_steps")) {
        assertEquals(100, steps);
      }
    }
  }

  @Test
  void batchThreadsAndNeighboursChangeNoBit() {
    String[] fast = {
      "--steps",
      "2,1,1",
      "--t-max",
      "4",
      "--t-min",
      "2",
      "--t-rec",
      "2",
      "--t-detail",
      "3",
      "--seed",
      "18446744073709551615"
    };
    sample(join(fast, "--labels", "3", "--count", "5"));
    float[] together = floats();
    sample(join(fast, "--labels", "3", "--count", "5", "--batch", "2", "--threads", "1"));
    assertArrayEquals(together, floats());
    sample(join(fast, "--class", "dress", "--first-image", "4"));
    assertArrayEquals(Arrays.copyOfRange(together, 4 * 1024, 5 * 1024), floats());
  }

  private float[] floats() {
    try (SafetensorsFile file = SafetensorsFile.open(latents())) {
      return file.readFloats("latents");
    }
  }

  private static Object[] join(String[] first, Object... second) {
    Object[] all = Arrays.copyOf(first, first.length + second.length, Object[].class);
    System.arraycopy(second, 0, all, first.length, second.length);
    return all;
  }

  private static final String[] TINY_PLAN = {
    "--schedule", "mar", "--steps", "1", "--diffusion-steps", "1"
  };

  @Test
  void labelsRecurUpToTheCount() {
    sample(join(TINY_PLAN, "--labels", "3,7", "--count", "5"));
    float[] all = floats();
    sample(join(TINY_PLAN, "--labels", "7", "--first-image", "3"));
    assertArrayEquals(Arrays.copyOfRange(all, 3 * 1024, 4 * 1024), floats());
    sample(join(TINY_PLAN, "--labels", "3", "--first-image", "4"));
    assertArrayEquals(Arrays.copyOfRange(all, 4 * 1024, 5 * 1024), floats());
  }

  @Test
  void withoutLabelsThereAreFourOfEachClass() throws IOException {
    CommandRun run = sample(join(TINY_PLAN));
    assertTrue(run.out().contains("40 images in "), run.out());
    assertEquals(40 * 1024, floats().length);
    assertEquals(10 * 136 + 8, ImageIO.read(picture().toFile()).getWidth());
  }

  @Test
  void withoutAClassThereIsNoGuidance() {
    Map<String, Object> plain =
        JsonText.parse(sample(join(TINY_PLAN, "--labels", "none", "--json")).out());
    assertEquals(1.0, ((Map<?, ?>) plain.get("guidance")).get("cfg"));
    float[] unguided = floats();
    sample(join(TINY_PLAN, "--labels", "none", "--cfg", "5"));
    assertArrayEquals(unguided, floats());
  }

  @Test
  void temperatureAndCfgMatter() {
    String[] plan = {"--steps", "1,1,1", "--t-max", "3", "--t-min", "3", "--labels", "1"};
    sample((Object[]) plan);
    float[] usual = floats();
    sample(join(plan, "--temperature", "0.5"));
    assertTrue(!Arrays.equals(usual, floats()));
    sample(join(plan, "--cfg", "4"));
    float[] strong = floats();
    assertTrue(!Arrays.equals(usual, strong));
    sample(join(plan, "--cfg", "4", "--cfg-schedule", "constant"));
    assertTrue(!Arrays.equals(strong, floats()));
    sample(join(plan, "--precision", "bf16"));
    assertTrue(!Arrays.equals(usual, floats()));
  }

  @Test
  void summaryAndProgressInPlainLines() {
    CommandRun run = sample("--labels", "0", "--t-max", "3", "--t-min", "3", "--t-rec", "3");
    assertTrue(run.out().contains("sampling: 16 of 16 decode steps, "), run.out());
    assertTrue(run.out().contains("1 image in "), run.out());
    assertTrue(run.out().contains(" images/s on "), run.out());
    assertTrue(run.out().contains("\ndevice: "), run.out());
    assertTrue(run.out().contains("auto chose "), run.out());
    assertTrue(
        run.out().indexOf("memory: ") < run.out().indexOf("1 image in "),
        "the memory is known before the run: " + run.out());
    assertTrue(run.out().contains("MAR with 64 steps: "), run.out());
    assertTrue(run.out().contains("picture: " + picture()), run.out());
    assertTrue(run.out().contains("latents: " + latents()), run.out());
  }

  @Test
  void theCpuIsAlwaysTimedByPhase() {
    CommandRun run = sample(join(TINY_PLAN, "--labels", "0", "--device", "cpu"));
    assertTrue(run.out().contains("\ntime: backbone "), run.out());
    assertTrue(run.out().contains("\ndevice: cpu was asked for: "), run.out());
  }

  @Test
  void barOnATerminal() {
    CommandRun run =
        CommandRun.on(true, "sample", "--labels", "0", "--steps", "1,1", "--out", picture());
    assertEquals("", run.err());
    assertEquals(0, run.exitCode());
    assertTrue(run.out().contains("\r"), "the bar is drawn over and over");
    assertTrue(run.out().contains("1 image in "), run.out());
  }

  @Test
  void jsonIsTheWholeOutput() {
    CommandRun run =
        sample(join(TINY_PLAN, "--labels", "2,4", "--seed", "18446744073709551615", "--json"));
    Map<String, Object> document = JsonText.parse(run.out());
    assertEquals("fashion", document.get("model"));
    assertEquals("18446744073709551615", document.get("seed").toString());
    assertEquals("2", document.get("images").toString());
    assertEquals("mar", document.get("schedule"));
    assertEquals(picture().toString(), document.get("picture"));
    assertEquals(latents().toString(), document.get("latents"));
    assertTrue((double) document.get("seconds") > 0);
    Map<?, ?> memory = (Map<?, ?>) document.get("memory");
    assertTrue(Long.parseLong(memory.get("weights").toString()) > 0, memory.toString());
    Map<?, ?> device = (Map<?, ?>) document.get("device");
    assertTrue(device.get("reason").toString().contains("auto chose "), device.toString());
    assertTrue(
        (double) ((Map<?, ?>) document.get("marFlops")).get("total")
            > (double) ((Map<?, ?>) document.get("flops")).get("total"));
  }

  @Test
  void latentModelWritesLatentsAndNoPicture() throws IOException {
    Path model = folder.resolve("tiny.safetensors");
    try (var stream = SampleCommandTest.class.getResourceAsStream("/golden/tiny.safetensors")) {
      Files.copy(stream, model);
    }
    CommandRun run =
        CommandRun.of(
            "sample",
            "--model",
            model,
            "--labels",
            "1",
            "--steps",
            "1,1",
            "--out",
            picture(),
            "--latents",
            latents());
    assertEquals(0, run.exitCode(), run.err());
    assertEquals("gtr: no picture: the model's latents need a VAE decoder\n", run.err());
    assertTrue(!Files.exists(picture()));
    assertEquals(1024, floats().length);
  }
}
