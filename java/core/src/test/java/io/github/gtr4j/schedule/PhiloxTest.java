package io.github.gtr4j.schedule;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.gtr4j.InvalidArgumentException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The known answers that the authors of Philox published. */
class PhiloxTest {
  @Test
  void zeros() {
    assertArrayEquals(
        new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, Philox.words(0, 0, 0, 0, 0));
  }

  @Test
  void ones() {
    assertArrayEquals(
        new int[] {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        Philox.words(-1L, -1, -1, -1, -1));
  }

  @Test
  void digitsOfPi() {
    assertArrayEquals(
        new int[] {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
        Philox.words(0x299f31d0a4093822L, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344));
  }

  @Test
  void orderKeyIsTheFirstWordOfItsDraw() {
    assertEquals(Philox.words(7, 0, -1, 5, 3)[0], Philox.orderKey(7, 5, 3));
  }

  @Test
  void largestImageIndexIsAccepted() {
    Plan plan = MarSchedule.defaults().plan(new TokenGrid(2, 2));
    assertEquals(4, plan.order(0, Philox.IMAGES - 1).size());
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 1L << 32, Long.MAX_VALUE})
  void otherImageIndicesAreRefused(long image) {
    Plan plan = MarSchedule.defaults().plan(new TokenGrid(2, 2));
    InvalidArgumentException e =
        assertThrows(InvalidArgumentException.class, () -> plan.order(0, image));
    assertEquals("image", e.argument());
    assertEquals("image: " + image + "; allowed 0 to 4294967295", e.getMessage());
  }
}
