package io.github.gtr4j.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.gtr4j.InvalidArgumentException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is refused, and in which words. */
class ScheduleErrorsTest {
  private static final TokenGrid GRID = new TokenGrid(8, 8);

  private static void refused(String argument, String problem, Executable call) {
    InvalidArgumentException e = assertThrows(InvalidArgumentException.class, call);
    assertEquals(argument, e.argument());
    assertEquals(problem, e.problem());
  }

  private static GtrSchedule gtr(int... steps) {
    return GtrSchedule.builder().steps(steps).build();
  }

  static Stream<Arguments> badSteps() {
    return Stream.of(
        Arguments.of(
            "33 steps for stage 3 of 3, which has 32 cells in a grid of 8x8; allowed 1 to 32",
            (Executable) () -> gtr(12, 3, 33).plan(GRID)),
        Arguments.of(
            "17 steps for stage 1 of 3, which has 16 cells in a grid of 8x8; allowed 1 to 16",
            (Executable) () -> gtr(17, 3, 1).plan(GRID)),
        Arguments.of(
            "6 stages, but a grid of 8x8 has cells for at most 5",
            (Executable) () -> gtr(1, 1, 1, 1, 1, 1).plan(GRID)),
        Arguments.of(
            "a grid of 1x1 has no second stage for GtR; use the MAR schedule",
            (Executable) () -> gtr(1, 1).plan(new TokenGrid(1, 1))),
        Arguments.of(
            "0 steps for stage 2 of 3; allowed 1 to the number of the stage's cells",
            (Executable) () -> gtr(12, 0, 1)),
        Arguments.of(
            "-3 steps for stage 1 of 2; allowed 1 to the number of the stage's cells",
            (Executable) () -> gtr(-3, 1)),
        Arguments.of(
            "1 stages; a GtR schedule has at least 2, such as 12,3,1", (Executable) () -> gtr(64)),
        Arguments.of(
            "65 decode steps, but a grid of 8x8 has 64 cells; allowed 1 to 64",
            (Executable) () -> MarSchedule.builder().steps(65).build().plan(GRID)),
        Arguments.of(
            "0 decode steps; allowed 1 to the number of cells of the grid",
            (Executable) () -> MarSchedule.builder().steps(0)));
  }

  @ParameterizedTest
  @MethodSource("badSteps")
  void steps(String problem, Executable call) {
    refused("steps", problem, call);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 1001, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void diffusionSteps(int steps) {
    String problem = steps + " diffusion steps; allowed 1 to 1000";
    refused("tMax", problem, () -> GtrSchedule.builder().tMax(steps));
    refused("tMin", problem, () -> GtrSchedule.builder().tMin(steps));
    refused("tReconstruction", problem, () -> GtrSchedule.builder().tReconstruction(steps));
    refused("tDetail", problem, () -> GtrSchedule.builder().tDetail(steps));
    refused("diffusionSteps", problem, () -> MarSchedule.builder().diffusionSteps(steps));
  }

  @Test
  void minAboveMax() {
    refused(
        "tMin",
        "51 diffusion steps; allowed 1 to tMax = 50",
        () -> GtrSchedule.builder().tMin(51).build());
  }

  @ParameterizedTest
  @ValueSource(
      doubles = {-0.01, 1.01, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
  void detailFraction(double fraction) {
    refused(
        "detailFraction",
        fraction + "; allowed 0 to 1",
        () -> GtrSchedule.builder().detailFraction(fraction));
  }

  @ParameterizedTest
  @ValueSource(doubles = {-0.01, 1e39, Double.NaN, Double.POSITIVE_INFINITY})
  void cfg(double cfg) {
    refused("cfg", cfg + "; allowed are finite numbers from 0 on", () -> Guidance.linear(cfg));
    refused("cfg", cfg + "; allowed are finite numbers from 0 on", () -> Guidance.constant(cfg));
  }

  @Test
  void grids() {
    for (int[] size : new int[][] {{0, 8}, {8, 0}, {-1, -1}, {1 << 16, 1 << 16}, {1, 1 << 21}}) {
      refused(
          "grid",
          size[0] + "x" + size[1] + "; allowed are sizes of at least 1 and at most 1048576 cells",
          () -> new TokenGrid(size[0], size[1]));
    }
  }

  @Test
  void cells() {
    refused("cells", "none; a plan decodes at least one cell", () -> gtr(1, 1).plan(none()));
    refused(
        "cells",
        "none; a plan decodes at least one cell",
        () -> MarSchedule.defaults().plan(none()));
    refused(
        "cells",
        "64 is not a cell; a grid of 8x8 has the cells 0 to 63",
        () -> CellSet.of(GRID, 3, 64));
    refused(
        "cells",
        "-1 is not a cell; a grid of 8x8 has the cells 0 to 63",
        () -> CellSet.of(GRID, -1));
    refused("cells", "cell 5 occurs twice", () -> CellSet.of(GRID, 5, 6, 5));
  }

  private static CellSet none() {
    return CellSet.all(GRID).complement();
  }

  @Test
  void setsAreNotSharedWithTheirMaker() {
    int[] steps = {12, 3, 1};
    GtrSchedule schedule = gtr(steps);
    steps[0] = 99;
    schedule.steps()[1] = 99;
    assertEquals(GtrSchedule.defaults(), schedule);
  }
}
