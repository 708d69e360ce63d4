package io.github.gtr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.checkpoint.CheckpointSource;
import io.github.gtr4j.checkpoint.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OtherCommandsTest {
  @TempDir Path folder;

  private static String good(Object... args) {
    CommandRun run = CommandRun.of(args);
    assertEquals("", run.err());
    assertEquals(0, run.exitCode());
    return run.out();
  }

  // ---- help and version ----

  @ParameterizedTest
  @ValueSource(strings = {"sample", "compare", "plan", "info", "devices"})
  void everyCommandHasHelp(String command) {
    String help = good(command, "--help");
    assertTrue(help.startsWith("Usage: gtr " + command + " "), help);
    assertEquals(help, good("help", command));
    assertTrue(good("--help").contains("  " + command + " "));
  }

  @Test
  void versionAndBareCommand() {
    assertEquals("gtr4j " + Version.TEXT + "\n", good("--version"));
    assertEquals("gtr4j " + Version.TEXT + "\n", good("sample", "--version"));
    assertTrue(Version.TEXT.matches("[0-9]+[.][0-9]+[.][0-9]+.*"), Version.TEXT);
    assertEquals(good("--help"), good());
  }

  // ---- plan ----

  @Test
  void planAsText() {
    String text = good("plan");
    assertTrue(text.contains("    1    12       2  26\n"), text);
    assertTrue(
        text.contains(
            "    3    16      32  20; 50 for the 3 with the most detail (reconstruction)\n"),
        text);
    assertTrue(text.contains("total    16      64  1683 in all\n"), text);
    List<String> lines = text.lines().toList();
    int grid = lines.indexOf("decode step of each token:");
    assertEquals(
        8, lines.subList(grid + 1, grid + 9).stream().filter(l -> l.length() == 24).count());
    assertFalse(text.contains("\u001b"));
    assertTrue(good("plan", "--color", "always").contains("\u001b["));
  }

  @Test
  void planAsJson() {
    Map<String, Object> plan =
        JsonText.parse(good("plan", "--grid", "16x16", "--seed", "5", "--json"));
    try (SafetensorsFile golden =
        SafetensorsFile.open(
            CheckpointSource.ofResource(
                OtherCommandsTest.class, "/golden/tiny_cases.safetensors"))) {
      long[] order = golden.readLongs("order.gtr_seed5_images0_1_grid16_k3");
      List<?> shown = (List<?>) plan.get("order");
      assertEquals(256, shown.size());
      for (int k = 0; k < 256; k++) {
        assertEquals(order[k], ((Number) shown.get(k)).longValue());
      }
      long[] count = golden.readLongs("plan.gtr_grid16_12_3_1.count");
      List<?> steps = (List<?>) plan.get("steps");
      assertEquals(count.length, steps.size());
      for (int s = 0; s < count.length; s++) {
        assertEquals(count[s], ((Number) ((Map<?, ?>) steps.get(s)).get("tokens")).longValue());
      }
    }
  }

  @Test
  void planAsPicture() throws IOException {
    Path picture = folder.resolve("plan.png");
    String text = good("plan", "--schedule", "mar", "--steps", "16", "--out", picture);
    assertTrue(text.endsWith("picture: " + picture + "\n"), text);
    assertEquals(8 * 49 - 1 + 16, ImageIO.read(picture.toFile()).getWidth());
  }

  // ---- info and devices ----

  @Test
  void infoOfTheBundledModel() {
    String text = good("info", "fashion");
    assertTrue(text.contains("8x8 tokens of 16 channels"), text);
    assertTrue(text.contains("patch:4x4:1"), text);
    assertTrue(text.contains("T-shirt, trouser"), text);
    Map<String, Object> document = JsonText.parse(good("info", "fashion", "--json"));
    assertEquals("192", document.get("width").toString());
    assertEquals("9918528", document.get("fileBytes").toString());
    assertEquals("19837056", ((Map<?, ?>) document.get("memoryBytes")).get("f32").toString());
    List<?> tensors = (List<?>) document.get("tensors");
    for (Object tensor : tensors) {
      assertTrue(text.contains(((Map<?, ?>) tensor).get("name").toString()));
    }
  }

  @Test
  void devices() {
    String text = good("devices");
    assertTrue(text.contains("cpu"), text);
    assertTrue(text.contains("scalar      yes"), text);
    assertTrue(text.contains("chosen by auto: "), text);
    Map<String, Object> document = JsonText.parse(good("devices", "--json"));
    Map<?, ?> chosen = (Map<?, ?>) document.get("chosen");
    assertTrue(List.of("cpu", "cuda").contains(chosen.get("backend").toString()));
    assertFalse(chosen.get("reason").toString().isEmpty());
  }

  // ---- compare ----

  @Test
  void compareDrawsBothSides() throws IOException {
    Path picture = folder.resolve("both.png");
    Object[] args = {
      "compare",
      "--labels",
      "0,8",
      "--mar-steps",
      "4",
      "--diffusion-steps",
      "4",
      "--steps",
      "1,1,1",
      "--t-max",
      "4",
      "--t-min",
      "4",
      "--t-rec",
      "4",
      "--detail-fraction",
      "0",
      "--out",
      picture
    };
    String text = good(args);
    assertTrue(text.contains("MAR           4  "), text);
    assertTrue(text.contains("GtR           3  "), text);
    assertTrue(text.contains("times less time"), text);
    // Two sheets of one column each.
    assertEquals(8 + 128 + 24 + 128 + 8, ImageIO.read(picture.toFile()).getWidth());
    Object[] json = Arrays.copyOf(args, args.length + 1);
    json[args.length] = "--json";
    Map<String, Object> document = JsonText.parse(good(json));
    assertEquals("4", ((Map<?, ?>) document.get("mar")).get("decodeSteps").toString());
    assertEquals("3", ((Map<?, ?>) document.get("gtr")).get("decodeSteps").toString());
    assertTrue((double) document.get("flopRatio") > 1);
    assertTrue(Files.size(picture) > 1000);
  }
}
