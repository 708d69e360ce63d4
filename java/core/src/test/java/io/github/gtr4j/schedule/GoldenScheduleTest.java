package io.github.gtr4j.schedule;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.gtr4j.checkpoint.CheckpointSource;
import io.github.gtr4j.checkpoint.SafetensorsFile;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Stages, plans, orders and random words against vectors of an independent implementation. */
class GoldenScheduleTest {
  private static SafetensorsFile tiny;
  private static SafetensorsFile fashion;

  @BeforeAll
  static void open() {
    tiny = golden("tiny_cases");
    fashion = golden("fashion_cases");
  }

  @AfterAll
  static void close() {
    tiny.close();
    fashion.close();
  }

  private static SafetensorsFile golden(String name) {
    return SafetensorsFile.open(
        CheckpointSource.ofResource(GoldenScheduleTest.class, "/golden/" + name + ".safetensors"));
  }

  @ParameterizedTest
  @CsvSource({"16, 2", "16, 3", "16, 4", "7, 3", "8, 3"})
  void stages(int side, int count) {
    Stages stages = Stages.of(new TokenGrid(side, side), count);
    long[] expected = tiny.readLongs("stage.grid" + side + ".k" + count);
    long[] actual = new long[expected.length];
    for (int cell = 0; cell < actual.length; cell++) {
      actual[cell] = stages.stage(cell);
    }
    assertArrayEquals(expected, actual);
  }

  @Test
  void randomWords() {
    long seed = tiny.readLongs("noise.seed")[0];
    long[] image = tiny.readLongs("noise.image");
    long[] cell = tiny.readLongs("noise.cell");
    long[] expected = tiny.readLongs("noise.raw_words_draw0_block0");
    for (int i = 0; i < image.length; i++) {
      int[] words = Philox.words(seed, 0, 0, (int) cell[i], (int) image[i]);
      for (int w = 0; w < 4; w++) {
        assertEquals(expected[4 * i + w], Integer.toUnsignedLong(words[w]), "row " + i + ", " + w);
      }
    }
  }

  @Test
  void gtrPlan() {
    Plan plan = GtrSchedule.defaults().plan(new TokenGrid(16, 16));
    assertArrayEquals(tiny.readLongs("plan.gtr_grid16_12_3_1.count"), tokens(plan));
    assertArrayEquals(
        tiny.readLongs("plan.gtr_grid16_12_3_1.diffusion_steps"),
        plan.steps().stream().mapToLong(DecodeStep::diffusionSteps).toArray());
  }

  @ParameterizedTest
  @ValueSource(ints = {16, 64})
  void marPlan(int steps) {
    Plan plan = MarSchedule.builder().steps(steps).build().plan(new TokenGrid(16, 16));
    assertArrayEquals(tiny.readLongs("plan.mar_grid16_" + steps + ".count"), tokens(plan));
  }

  @Test
  void orders() {
    TokenGrid grid = new TokenGrid(16, 16);
    assertOrders("gtr", GtrSchedule.defaults().plan(grid), "_k3");
    assertOrders("mar", MarSchedule.defaults().plan(grid), "");
  }

  private static void assertOrders(String schedule, Plan plan, String suffix) {
    long[] expected = tiny.readLongs("order." + schedule + "_seed5_images0_1_grid16" + suffix);
    int cells = plan.grid().cells();
    for (int image = 0; image < 2; image++) {
      assertArrayEquals(
          Arrays.copyOfRange(expected, image * cells, (image + 1) * cells),
          Arrays.stream(plan.order(5, image).toArray()).asLongStream().toArray());
    }
  }

  @Test
  void ordersOfTheBundledModelsSamples() {
    TokenGrid grid = new TokenGrid(8, 8);
    long seed = fashion.readLongs("seed")[0];
    Plan gtr = GtrSchedule.defaults().plan(grid);
    Plan mar = MarSchedule.builder().steps(16).build().plan(grid);
    long[] gtrOrder = fashion.readLongs("gtr_12_3_1.order");
    long[] marOrder = fashion.readLongs("mar_16_T100.order");
    long[] steps = fashion.readLongs("gtr_12_3_1.diffusion_steps");
    for (int image = 0; image < 10; image++) {
      List<Long> chosen = chosenForDetail(image);
      for (DecodeStep step : gtr.steps()) {
        for (int cell : gtr.order(seed, image).cells(step)) {
          boolean detail = step.reconstruction() && chosen.contains((long) cell);
          assertEquals(
              steps[image * 64 + cell],
              detail ? step.detailDiffusionSteps() : step.diffusionSteps());
        }
      }
      for (int k = 0; k < 64; k++) {
        assertEquals(gtrOrder[image * 64 + k], gtr.order(seed, image).cell(k));
        assertEquals(marOrder[image * 64 + k], mar.order(seed, image).cell(k));
      }
    }
  }

  /** The cells with the highest scores, as many as the plan chooses. */
  private static List<Long> chosenForDetail(int image) {
    long[] cells = fashion.readLongs("gtr_12_3_1.fts_cells");
    float[] scores = fashion.readFloats("gtr_12_3_1.fts_score");
    return IntStream.range(image * 32, (image + 1) * 32)
        .boxed()
        .sorted(
            Comparator.<Integer>comparingDouble(i -> -scores[i]).thenComparingLong(i -> cells[i]))
        .limit(3)
        .map(i -> cells[i])
        .toList();
  }

  private static long[] tokens(Plan plan) {
    return plan.steps().stream().mapToLong(DecodeStep::tokens).toArray();
  }
}
