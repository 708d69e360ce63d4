package io.github.gtr4j.sampling;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.schedule.CellSet;
import io.github.gtr4j.schedule.GtrSchedule;
import io.github.gtr4j.schedule.Guidance;
import io.github.gtr4j.schedule.MarSchedule;
import io.github.gtr4j.schedule.TokenGrid;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SamplingRequestTest {
  private static final MarConfiguration MODEL =
      MarConfiguration.builder()
          .grid(3, 4)
          .channels(2)
          .width(16)
          .blocks(1, 1)
          .heads(2)
          .head(1, 8)
          .classes(3)
          .classNames(List.of("coat", "bag", "shoe"))
          .build();

  private static SamplingRequest.Builder builder() {
    return SamplingRequest.builder(MODEL);
  }

  private static InvalidArgumentException refused(String argument, Runnable call) {
    InvalidArgumentException e = assertThrows(InvalidArgumentException.class, call::run);
    assertEquals(argument, e.argument(), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
    return e;
  }

  @Test
  void hasDefaults() {
    SamplingRequest request = builder().schedule(GtrSchedule.builder().steps(1, 1).build()).build();
    assertEquals(OptionalInt.empty(), request.label());
    assertEquals(Guidance.none(), request.guidance());
    assertEquals(1, request.temperature());
    assertEquals(0, request.seed());
    assertEquals(0, request.image());
    assertTrue(request.knownTokens().isEmpty());
  }

  @Test
  void takesAClassByItsName() {
    SamplingRequest.Builder builder = builder().schedule(MarSchedule.defaults());
    assertEquals(OptionalInt.of(1), builder.className("bag").build().label());
    InvalidArgumentException e = refused("className", () -> builder().className("hat"));
    assertTrue(e.getMessage().contains("coat, bag, shoe"), e.getMessage());
  }

  @Test
  void guidesOnlyWhatHasAClass() {
    SamplingRequest.Builder builder =
        builder().schedule(MarSchedule.defaults()).guidance(Guidance.linear(3));
    assertFalse(builder.build().guidance().isActive());
    assertTrue(builder.label(0).build().guidance().isActive());
    assertFalse(builder.noLabel().build().guidance().isActive());
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 3, Integer.MIN_VALUE, Integer.MAX_VALUE})
  void refusesLabels(int label) {
    refused("label", () -> builder().label(label));
  }

  @ParameterizedTest
  @ValueSource(doubles = {-1e-9, Double.NaN, Double.POSITIVE_INFINITY, 1e39})
  void refusesTemperatures(double temperature) {
    refused("temperature", () -> builder().temperature(temperature));
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 1L << 32})
  void refusesImages(long image) {
    refused("image", () -> builder().image(image));
  }

  @Test
  void refusesPlansOfAnotherGrid() {
    InvalidArgumentException e =
        refused("plan", () -> builder().plan(MarSchedule.defaults().plan(new TokenGrid(4, 3))));
    assertTrue(e.getMessage().contains("4x3") && e.getMessage().contains("3x4"), e.getMessage());
  }

  @Test
  void refusesASchedulesThatDoesNotFit() {
    refused("steps", () -> builder().schedule(GtrSchedule.builder().steps(1, 7).build()));
    refused("steps", () -> builder().build()); // 12,3,1 needs a larger grid
  }

  @Test
  void refusesKnownTokensThatAreMissingOrWrong() {
    CellSet cells = CellSet.of(new TokenGrid(3, 4), 0, 5);
    SamplingRequest.Builder builder = builder().plan(MarSchedule.defaults().plan(cells));
    refused("knownTokens", builder::build);
    refused("knownTokens", () -> builder.knownTokens(new float[23]));
    float[] tokens = new float[24];
    tokens[0] = Float.NaN; // of a cell that is decoded
    builder.knownTokens(tokens).build();
    tokens[3] = Float.NEGATIVE_INFINITY;
    refused("knownTokens", () -> builder.knownTokens(tokens).build());
  }

  @Test
  void keepsItsOwnCopyOfKnownTokens() {
    float[] tokens = new float[24];
    CellSet cells = CellSet.of(new TokenGrid(3, 4), 0);
    SamplingRequest request =
        builder().plan(MarSchedule.defaults().plan(cells)).knownTokens(tokens).build();
    tokens[7] = 1;
    request.knownTokens().orElseThrow()[8] = 1;
    assertArrayEquals(new float[24], request.knownTokens().orElseThrow());
  }

  @Test
  void optionsAreChecked() {
    refused("maxBatch", () -> new SamplerOptions(0, 0));
    refused("maxBatch", () -> new SamplerOptions(1 << 17, 0));
    refused("modulationBytes", () -> new SamplerOptions(1, -1));
  }

  @Test
  void flopsAreThoseOfTheDesign() {
    // MAR-H, 256 x 256, guided: 65.2 TFLOP for MAR in 64 steps, 15.3 for GtR in 12, 3 and 1.
    MarConfiguration marH = MarConfiguration.marH();
    TokenGrid grid = new TokenGrid(16, 16);
    double mar = Sampler.flopFormula(marH).of(MarSchedule.defaults().plan(grid), true).total();
    double gtr = Sampler.flopFormula(marH).of(GtrSchedule.defaults().plan(grid), true).total();
    assertEquals(65.2e12, mar, 0.05e12);
    assertEquals(15.3e12, gtr, 0.05e12);
  }
}
