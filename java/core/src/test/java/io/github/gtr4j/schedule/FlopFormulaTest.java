package io.github.gtr4j.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.gtr4j.InvalidArgumentException;
import org.junit.jupiter.api.Test;

class FlopFormulaTest {
  private static final TokenGrid GRID = new TokenGrid(16, 16);
  private static final FlopFormula MAR_H = new FlopFormula(20, 20, 1280, 64, 16, 12, 1536);

  @Test
  void publishedModelTakesTheStatedOperations() {
    assertEquals(65.2, MAR_H.of(MarSchedule.defaults().plan(GRID), true).total() / 1e12, 0.05);
    assertEquals(15.3, MAR_H.of(GtrSchedule.defaults().plan(GRID), true).total() / 1e12, 0.05);
  }

  @Test
  void oneStepByHand() {
    FlopFormula formula = new FlopFormula(1, 2, 3, 1, 2, 1, 5);
    Plan plan = MarSchedule.builder().steps(1).diffusionSteps(7).build().plan(new TokenGrid(1, 2));
    FlopFormula.Flops flops = formula.of(plan, false);
    // Encoder over 1 place, decoder over 3 places twice, decoder_embed over 1, z_proj over 2.
    int encoder = 24 * 9 + 4 * 3;
    int decoder = 2 * (24 * 3 * 9 + 4 * 9 * 3);
    assertEquals(encoder + decoder + 2 * 9 + 2 * 2 * 2 * 3, flops.backbone());
    int row = 2 * (2 * 5 + 3 * 5 + 5 * 25 + 2 * 25 + 2 * 5 * 2 + 256 * 5 + 25);
    assertEquals(2 * 7 * row, flops.head());
    assertEquals(2 * flops.total(), formula.of(plan, true).total());
    assertEquals(flops.total() * 3, flops.times(3).total());
    assertEquals(flops.total() * 2, flops.plus(flops).total());
  }

  @Test
  void sizesAreChecked() {
    InvalidArgumentException e =
        assertThrows(InvalidArgumentException.class, () -> new FlopFormula(1, 1, 0, 1, 1, 1, 1));
    assertEquals("width: 0; allowed from 1 on", e.getMessage());
  }
}
