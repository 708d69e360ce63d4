package io.github.gtr4j.schedule;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.InvalidArgumentException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** What holds for every plan. */
class PlanPropertiesTest {
  private static final int SIDE = 32;

  /** The definition, word for word. */
  private static int stageByDefinition(int diagonal, int count) {
    for (int k = 1; k < count; k++) {
      if (diagonal % (1 << k) != 0) {
        return count - k;
      }
    }
    return 0;
  }

  @Test
  void everyGridAndStageSet() {
    for (int height = 1; height <= SIDE; height++) {
      for (int width = 1; width <= SIDE; width++) {
        for (int count = 1; count <= 6; count++) {
          checkStages(new TokenGrid(height, width), count);
        }
      }
    }
  }

  private static void checkStages(TokenGrid grid, int count) {
    if (count < 2) {
      assertThrows(InvalidArgumentException.class, () -> Stages.of(grid, count));
      assertThrows(
          InvalidArgumentException.class, () -> GtrSchedule.builder().steps(new int[count]));
      return;
    }
    Stages stages = Stages.of(grid, count);
    int[] sizes = new int[count];
    for (int cell = 0; cell < grid.cells(); cell++) {
      assertEquals(
          stageByDefinition(grid.row(cell) + grid.column(cell), count), stages.stage(cell));
      sizes[stages.stage(cell)]++;
    }
    boolean empty = false;
    for (int stage = 0; stage < count; stage++) {
      assertEquals(sizes[stage], stages.size(stage));
      assertEquals(sizes[stage], stages.cells(stage).length);
      empty |= sizes[stage] == 0;
    }
    assertEquals(empty, count > Stages.largestCount(grid), grid + " " + count);

    int[] ones = new int[count];
    Arrays.fill(ones, 1);
    GtrSchedule fewest = GtrSchedule.builder().steps(ones).build();
    if (empty) {
      InvalidArgumentException e =
          assertThrows(InvalidArgumentException.class, () -> fewest.plan(grid));
      assertEquals("steps", e.argument());
      return;
    }
    checkPlan(fewest.plan(grid));
    checkPlan(GtrSchedule.builder().steps(sizes).build().plan(grid));
    for (int stage = 0; stage < count; stage++) {
      int[] tooMany = ones.clone();
      tooMany[stage] = sizes[stage] + 1;
      GtrSchedule schedule = GtrSchedule.builder().steps(tooMany).build();
      InvalidArgumentException e =
          assertThrows(InvalidArgumentException.class, () -> schedule.plan(grid));
      assertTrue(e.problem().endsWith("allowed 1 to " + sizes[stage]), e.problem());
    }
  }

  /** Every cell once, stages in order, accounts that add up. */
  private static void checkPlan(Plan plan) {
    BitSet decoded = new BitSet();
    DecodeOrder order = plan.order(11, 3);
    int total = plan.grid().cells();
    int known = total - plan.cells().size();
    int start = 0;
    int lastStage = 0;
    for (DecodeStep step : plan.steps()) {
      assertEquals(start, step.start());
      assertEquals(known, step.known());
      assertTrue(step.tokens() >= 1);
      assertTrue(step.stage() >= lastStage);
      assertTrue(step.detailTokens() >= 0 && step.detailTokens() <= step.tokens());
      for (int cell : order.cells(step)) {
        assertTrue(plan.cells().contains(cell));
        assertEquals(step.stage(), plan.stage(cell));
        assertTrue(!decoded.get(cell));
        decoded.set(cell);
      }
      lastStage = step.stage();
      start = step.end();
      known += step.tokens();
      assertEquals(Math.min(known, total - 1), step.guidanceTokens());
    }
    assertEquals(total, known);
    assertEquals(plan.cells().size(), decoded.cardinality());
  }

  @Test
  void everyMarPlan() {
    for (int cells = 1; cells <= 256; cells++) {
      for (int steps = 1; steps <= cells; steps++) {
        Plan plan = MarSchedule.builder().steps(steps).build().plan(new TokenGrid(1, cells));
        assertEquals(steps, plan.steps().size());
        checkPlan(plan);
      }
    }
  }

  /** A set of cells and a schedule that need not fit the grid. */
  record Case(CellSet cells, GtrSchedule schedule) {}

  @Provide
  Arbitrary<Case> subsets() {
    Arbitrary<int[]> steps =
        Arbitraries.integers().between(1, 40).array(int[].class).ofMinSize(2).ofMaxSize(6);
    return Combinators.combine(
            Arbitraries.integers().between(1, SIDE),
            Arbitraries.integers().between(1, SIDE),
            Arbitraries.longs(),
            Arbitraries.doubles().between(0, 1),
            steps)
        .as(
            (height, width, random, share, stageSteps) -> {
              TokenGrid grid = new TokenGrid(height, width);
              Random source = new Random(random);
              int[] some =
                  IntStream.range(0, grid.cells())
                      .filter(cell -> source.nextDouble() < share)
                      .toArray();
              int[] chosen = some.length == 0 ? new int[] {0} : some;
              return new Case(
                  CellSet.of(grid, chosen), GtrSchedule.builder().steps(stageSteps).build());
            });
  }

  @Property
  void subsetsSkipEmptyStagesAndTakeAtMostOneStepPerCell(@ForAll("subsets") Case subset) {
    if (subset.cells().isAll()) {
      return;
    }
    Plan plan = subset.schedule().plan(subset.cells());
    checkPlan(plan);
    int[] steps = subset.schedule().steps();
    Stages stages = Stages.of(subset.cells().grid(), steps.length);
    for (int stage = 0; stage < steps.length; stage++) {
      int inStage = 0;
      for (int cell : stages.cells(stage)) {
        inStage += subset.cells().contains(cell) ? 1 : 0;
      }
      int index = stage;
      long planned = plan.steps().stream().filter(step -> step.stage() == index).count();
      assertEquals(Math.min(inStage, steps[stage]), planned);
    }
  }

  @Property
  void marSubsets(@ForAll("subsets") Case subset, @ForAll @IntRange(min = 1, max = 80) int steps) {
    if (subset.cells().isAll()) {
      return;
    }
    Plan plan = MarSchedule.builder().steps(steps).build().plan(subset.cells());
    checkPlan(plan);
    assertEquals(Math.min(steps, subset.cells().size()), plan.steps().size());
  }

  @Property
  void sameInputsGiveSamePlanAndOrder(
      @ForAll("subsets") Case subset, @ForAll long seed, @ForAll @IntRange(max = 1000) int image) {
    if (subset.cells().isAll()) {
      return;
    }
    GtrSchedule same = GtrSchedule.builder().steps(subset.schedule().steps()).build();
    assertEquals(subset.schedule(), same);
    assertEquals(subset.schedule().hashCode(), same.hashCode());
    Plan first = subset.schedule().plan(subset.cells());
    Plan second = same.plan(CellSet.of(subset.cells().grid(), subset.cells().toArray()));
    assertEquals(first, second);
    assertEquals(first.hashCode(), second.hashCode());
    assertEquals(first.order(seed, image), second.order(seed, image));
  }

  @Property
  void orderOfASubsetIsTheSubsequenceOfTheWholeOrder(
      @ForAll("subsets") Case subset, @ForAll long seed) {
    MarSchedule schedule = MarSchedule.builder().steps(1).build();
    int[] whole = schedule.plan(subset.cells().grid()).order(seed, 4).toArray();
    int[] part = schedule.plan(subset.cells()).order(seed, 4).toArray();
    assertArrayEquals(Arrays.stream(whole).filter(subset.cells()::contains).toArray(), part);
  }

  @Property
  void diffusionStepsFallFromMaxToMinByTheFormula(
      @ForAll @IntRange(min = 1, max = 1000) int a,
      @ForAll @IntRange(min = 1, max = 1000) int b,
      @ForAll @IntRange(min = 1, max = 20) int generationSteps) {
    int max = Math.max(a, b);
    int min = Math.min(a, b);
    Plan plan =
        GtrSchedule.builder()
            .steps(generationSteps, 1)
            .tMax(max)
            .tMin(min)
            .tReconstruction(7)
            .build()
            .plan(new TokenGrid(8, 8));
    for (int g = 0; g < generationSteps; g++) {
      int steps = plan.steps().get(g).diffusionSteps();
      if (generationSteps == 1) {
        assertEquals(max, steps);
        continue;
      }
      double exact = max + (double) (min - max) * g / (generationSteps - 1);
      assertEquals((int) Math.floor(exact + 0.5 + 1e-9), steps);
    }
    assertEquals(7, plan.steps().get(generationSteps).diffusionSteps());
  }

  @Property
  void detailTokensFollowTheFraction(
      @ForAll @DoubleRange(min = 0, max = 1) double fraction,
      @ForAll @IntRange(min = 1, max = 32) int steps) {
    Plan plan =
        GtrSchedule.builder()
            .steps(1, steps)
            .detailFraction(fraction)
            .tDetail(33)
            .build()
            .plan(new TokenGrid(8, 8));
    for (DecodeStep step : plan.steps()) {
      int expected = 0;
      if (step.reconstruction() && fraction > 0) {
        expected = Math.max(1, (int) Math.floor(fraction * step.tokens() + 0.5));
      }
      assertEquals(expected, step.detailTokens());
      assertEquals(
          (long) expected * 33 + (long) (step.tokens() - expected) * step.diffusionSteps(),
          step.totalDiffusionSteps());
    }
  }

  @Test
  void seedsAndImagesHaveOrdersOfTheirOwn() {
    Plan plan = MarSchedule.defaults().plan(new TokenGrid(16, 16));
    assertNotEquals(plan.order(0, 0), plan.order(1, 0));
    assertNotEquals(plan.order(0, 0), plan.order(1L << 32, 0));
    assertNotEquals(plan.order(0, 0), plan.order(0, 1));
    assertNotEquals(plan.order(0, 0), plan.order(0, 1L << 31));
  }
}
