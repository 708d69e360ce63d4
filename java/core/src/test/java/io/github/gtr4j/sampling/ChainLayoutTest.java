package io.github.gtr4j.sampling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ChainLayoutTest {
  @Test
  void longerChainsComeFirstAndGuidedOnesBeforeUnguided() {
    ChainLayout layout = new ChainLayout();
    int a = layout.add(20, true, 3);
    int b = layout.add(50, false, 2);
    int c = layout.add(20, false, 1);
    int d = layout.add(20, true, 4);
    int e = layout.add(100, true, 0);
    layout.arrange();

    assertEquals(3, layout.groups());
    assertEquals(50, layout.groupSteps(0));
    assertFalse(layout.groupGuided(0));
    assertEquals(2, layout.groupRows(0));
    assertEquals(20, layout.groupSteps(1));
    assertTrue(layout.groupGuided(1));
    assertEquals(7, layout.groupRows(1));
    assertEquals(20, layout.groupSteps(2));
    assertFalse(layout.groupGuided(2));
    assertEquals(1, layout.groupRows(2));

    assertEquals(0, layout.start(b));
    assertEquals(2, layout.start(a));
    assertEquals(5, layout.start(d));
    assertEquals(9, layout.start(c));
    assertEquals(0, layout.start(e));
  }

  @Test
  void everyRowHasItsOwnPlaceInManyParts() {
    ChainLayout layout = new ChainLayout();
    for (int repeat = 0; repeat < 2; repeat++) {
      layout.clear();
      int parts = 100;
      for (int i = 0; i < parts; i++) {
        layout.add(1 + i * 37 % 11, i % 3 == 0, i % 5);
      }
      layout.arrange();
      boolean[] taken = new boolean[200];
      for (int i = 0; i < parts; i++) {
        for (int r = 0; r < layout.rows(i); r++) {
          assertFalse(taken[layout.start(i) + r]);
          taken[layout.start(i) + r] = true;
        }
      }
      for (boolean t : taken) {
        assertTrue(t);
      }
      int rows = 0;
      for (int g = 0; g < layout.groups(); g++) {
        rows += layout.groupRows(g);
        assertTrue(g == 0 || layout.groupSteps(g - 1) >= layout.groupSteps(g));
      }
      assertEquals(200, rows);
    }
  }
}
