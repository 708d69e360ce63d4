package io.github.gtr4j.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class GuidanceTest {
  @Test
  void linearGrowsWithWhatIsDecodedAndLeavesOneTokenAtTheEnd() {
    Plan plan = MarSchedule.builder().steps(4).build().plan(new TokenGrid(4, 4));
    // 16 cos(pi/8) = 14.8, 16 cos(pi/4) = 11.3, 16 cos(3 pi/8) = 6.1 stay masked.
    int[] decodedAfter = {2, 5, 10, 15};
    Guidance guidance = Guidance.linear(3);
    for (DecodeStep step : plan.steps()) {
      assertEquals(1 + 2.0 * decodedAfter[step.index()] / 16, guidance.scale(plan, step));
    }
  }

  @Test
  void knownTokensCount() {
    CellSet cells = CellSet.of(new TokenGrid(4, 4), 0, 1, 2, 3);
    Plan plan = MarSchedule.builder().steps(2).build().plan(cells);
    // Two of the four tokens stay masked after the first step.
    assertEquals(1 + 14.0 / 16, Guidance.linear(2).scale(plan, plan.steps().get(0)));
    assertEquals(1 + 15.0 / 16, Guidance.linear(2).scale(plan, plan.steps().get(1)));
  }

  @Test
  void constantIsTheSameThroughout() {
    Plan plan = GtrSchedule.defaults().plan(new TokenGrid(8, 8));
    for (DecodeStep step : plan.steps()) {
      assertEquals(2.5, Guidance.constant(2.5).scale(plan, step));
    }
  }

  @Test
  void oneIsNoGuidance() {
    assertFalse(Guidance.linear(1).isActive());
    assertEquals(Guidance.none(), Guidance.linear(1));
    assertEquals(Guidance.none(), Guidance.constant(1));
    assertTrue(Guidance.linear(0).isActive());
    assertEquals(Guidance.linear(0), Guidance.linear(-0.0));
    assertEquals(Guidance.linear(0).hashCode(), Guidance.linear(-0.0).hashCode());
  }
}
