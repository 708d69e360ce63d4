package io.github.gtr4j.sampling;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceOptions;
import io.github.gtr4j.kernel.Precision;
import io.github.gtr4j.model.GoldenCases;
import io.github.gtr4j.model.MarModel;
import io.github.gtr4j.schedule.GtrSchedule;
import io.github.gtr4j.schedule.Guidance;
import io.github.gtr4j.schedule.MarSchedule;
import io.github.gtr4j.schedule.Schedule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Whole samples of the bundled model against those of an independent implementation. */
final class GoldenSamples {
  private static final int CHANNELS = 16;
  private static final int CELLS = 64;

  private GoldenSamples() {}

  /** GtR in float: the same orders, steps and choices, and latents within rounding. */
  static void gtrInFloat(DeviceOptions options, int images) throws Exception {
    checkFloat(options, images, "gtr_12_3_1", GtrSchedule.defaults());
  }

  /** MAR in float, likewise. */
  static void marInFloat(DeviceOptions options, int images) throws Exception {
    checkFloat(options, images, "mar_16_T100", MarSchedule.builder().steps(16).build());
  }

  /** GtR in bfloat16, whose choices may differ where scores nearly tie. */
  static void gtrInBfloat16(DeviceOptions options, int images) throws Exception {
    try (GoldenCases golden = GoldenCases.fashion()) {
      List<SamplingResult> results =
          sample(options, images, Precision.BF16, GtrSchedule.defaults(), golden);
      for (int image = 0; image < images; image++) {
        SamplingResult result = results.get(image);
        assertArrayEquals(golden.intRows("gtr_12_3_1.order")[image], result.trace().order());
        int[] goldenSteps = golden.intRows("gtr_12_3_1.diffusion_steps")[image];
        double error =
            errorWhereStepsAgree(
                result, golden.floatRows("gtr_12_3_1.latents")[image], goldenSteps);
        assertTrue(error <= 2e-2, "image " + image + ": relative error " + error);
        checkCloseChoice(golden, image, result.trace(), goldenSteps);
      }
    }
  }

  /** MAR in bfloat16. */
  static void marInBfloat16(DeviceOptions options, int images) throws Exception {
    try (GoldenCases golden = GoldenCases.fashion()) {
      List<SamplingResult> results =
          sample(options, images, Precision.BF16, MarSchedule.builder().steps(16).build(), golden);
      for (int image = 0; image < images; image++) {
        SamplingResult result = results.get(image);
        assertArrayEquals(golden.intRows("mar_16_T100.order")[image], result.trace().order());
        double error =
            GoldenCases.relativeNorm(
                result.latents(), golden.floatRows("mar_16_T100.latents")[image]);
        assertTrue(error <= 2e-2, "image " + image + ": relative error " + error);
      }
    }
  }

  private static List<SamplingResult> sample(
      DeviceOptions options, int images, Precision precision, Schedule schedule, GoldenCases golden)
      throws InterruptedException {
    try (Device device = Device.open(options);
        MarModel model = MarModel.load(device, GoldenCases.fashionModel(), precision);
        Sampler sampler = new Sampler(model)) {
      int[] labels = golden.ints("labels");
      List<SamplingRequest> requests = new ArrayList<>();
      for (int image = 0; image < images; image++) {
        requests.add(
            SamplingRequest.builder(model)
                .label(labels[image])
                .schedule(schedule)
                .guidance(Guidance.linear(golden.floats("cfg")[0]))
                .seed(golden.ints("seed")[0])
                .image(image)
                .build());
      }
      List<SamplingResult> results = new ArrayList<>();
      for (SamplingJob job : sampler.submit(requests)) {
        results.add(job.get());
      }
      return results;
    }
  }

  private static void checkFloat(DeviceOptions options, int images, String name, Schedule schedule)
      throws Exception {
    try (GoldenCases golden = GoldenCases.fashion()) {
      List<SamplingResult> results = sample(options, images, Precision.F32, schedule, golden);
      float[][] latents = golden.floatRows(name + ".latents");
      for (int image = 0; image < images; image++) {
        SamplingResult result = results.get(image);
        SamplingTrace trace = result.trace();
        assertArrayEquals(golden.intRows(name + ".order")[image], trace.order());
        if (golden.has(name + ".diffusion_steps")) {
          assertArrayEquals(
              golden.intRows(name + ".diffusion_steps")[image], trace.diffusionSteps());
          checkSelection(golden, name, image, trace);
        } else {
          int[] steps = new int[CELLS];
          Arrays.fill(steps, 100);
          assertArrayEquals(steps, trace.diffusionSteps());
          assertEquals(List.of(), trace.selections());
        }
        double error = GoldenCases.relativeNorm(result.latents(), latents[image]);
        assertTrue(error <= 1e-4, "image " + image + ": relative error " + error);
      }
    }
  }

  private static void checkSelection(
      GoldenCases golden, String name, int image, SamplingTrace trace) {
    assertEquals(1, trace.selections().size());
    SamplingTrace.Selection selection = trace.selections().get(0);
    assertEquals(15, selection.step());
    assertArrayEquals(golden.intRows(name + ".fts_cells")[image], selection.cells());
    float[] scores = golden.floatRows(name + ".fts_score")[image];
    double error = GoldenCases.relativeNorm(selection.scores(), scores);
    assertTrue(error <= 1e-4, "scores of image " + image + ": relative error " + error);
    for (int cell : selection.selected()) {
      assertEquals(50, trace.diffusionSteps()[cell]);
      assertEquals(15, trace.decodeStep()[cell]);
    }
    assertEquals(3, selection.selected().length);
  }

  private static double errorWhereStepsAgree(
      SamplingResult result, float[] expected, int[] goldenSteps) {
    int[] steps = result.trace().diffusionSteps();
    float[] latents = result.latents();
    double difference = 0;
    double norm = 0;
    int agreed = 0;
    for (int cell = 0; cell < CELLS; cell++) {
      if (steps[cell] != goldenSteps[cell]) {
        continue;
      }
      agreed++;
      for (int c = 0; c < CHANNELS; c++) {
        double value = expected[c * CELLS + cell];
        double d = latents[c * CELLS + cell] - value;
        difference += d * d;
        norm += value * value;
      }
    }
    assertTrue(agreed >= CELLS - 6, agreed + " cells agree");
    return Math.sqrt(difference / norm);
  }

  /** A token may be chosen instead of another one only if their scores are nearly the same. */
  private static void checkCloseChoice(
      GoldenCases golden, int image, SamplingTrace trace, int[] goldenSteps) {
    int[] cells = golden.intRows("gtr_12_3_1.fts_cells")[image];
    float[] scores = golden.floatRows("gtr_12_3_1.fts_score")[image];
    float[] sorted = scores.clone();
    Arrays.sort(sorted);
    float cut = sorted[sorted.length - 3];
    Set<Integer> selected = new HashSet<>();
    for (int cell : trace.selections().get(0).selected()) {
      selected.add(cell);
    }
    for (int i = 0; i < cells.length; i++) {
      if (selected.contains(cells[i]) != (goldenSteps[cells[i]] == 50)) {
        assertTrue(
            Math.abs(scores[i] - cut) <= 1e-2 * cut,
            "cell " + cells[i] + " of image " + image + ": score " + scores[i] + ", cut " + cut);
      }
    }
  }
}
