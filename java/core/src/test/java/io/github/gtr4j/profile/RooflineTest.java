package io.github.gtr4j.profile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.kernel.Operation;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RooflineTest {
  private final Roofline roofline = new Roofline(1e12, 1e11);

  @Test
  void theSlowerOfArithmeticAndMemoryBounds() {
    KernelCount arithmetic = new KernelCount(Operation.LINEAR, 1, 1, 1_000_000, 1_000, 2_000);
    assertFalse(roofline.isMemoryBound(arithmetic));
    assertEquals(0.5, roofline.share(arithmetic), 1e-12);
    KernelCount memory = new KernelCount(Operation.NOISE, 1, 1, 0, 100_000, 4_000);
    assertTrue(roofline.isMemoryBound(memory));
    assertEquals(0.25, roofline.share(memory), 1e-12);
    assertEquals(1e-6, roofline.leastSeconds(1_000_000, 1), 1e-18);
  }

  @Test
  void ratesOfNoTimeAreZero() {
    KernelCount none = new KernelCount(Operation.LINEAR, 0, 0, 0, 0, 0);
    assertEquals(0, roofline.share(none));
    assertEquals(0, none.flopsPerSecond());
    assertEquals(0, none.bytesPerSecond());
  }

  @Test
  void countersAddUpAndReset() {
    KernelCounters counters = new KernelCounters();
    assertEquals(List.of(), counters.counts());
    counters.completed(Operation.ATTENTION, 3, 100, 10, 50);
    counters.completed(Operation.ATTENTION, 4, 200, 20, 70);
    counters.completed(Operation.LINEAR, 1, 2, 3, 4);
    assertEquals(
        List.of(
            new KernelCount(Operation.LINEAR, 1, 1, 2, 3, 4),
            new KernelCount(Operation.ATTENTION, 2, 7, 300, 30, 120)),
        counters.counts());
    String[] lines = roofline.table(counters.counts()).split(System.lineSeparator());
    assertEquals(3, lines.length);
    assertTrue(lines[1].startsWith("attention"), "longest first: " + lines[1]);
    counters.reset();
    assertEquals(List.of(), counters.counts());
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -1, Double.NaN, Double.POSITIVE_INFINITY})
  void impossibleRatesAreRefused(double rate) {
    assertThrows(InvalidArgumentException.class, () -> new Roofline(rate, 1));
    InvalidArgumentException e =
        assertThrows(InvalidArgumentException.class, () -> new Roofline(1, rate));
    assertEquals("bytes_per_second", e.argument());
  }
}
