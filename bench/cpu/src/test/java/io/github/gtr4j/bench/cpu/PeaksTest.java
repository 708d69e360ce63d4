package io.github.gtr4j.bench.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class PeaksTest {
  @Test
  void everyPeakIsMeasured() {
    Peaks peaks = Peaks.measure(1);
    assertTrue(peaks.f32Flops() > 0 && Double.isFinite(peaks.f32Flops()));
    assertTrue(peaks.bf16Flops() > 0 && Double.isFinite(peaks.bf16Flops()));
    assertTrue(peaks.readBytes() > 0 && Double.isFinite(peaks.readBytes()));
  }

  @Test
  void severalAreOne() {
    Peaks low = new Peaks(1, 2, 3);
    Peaks high = new Peaks(3, 6, 9);
    assertEquals(new Peaks(2, 4, 6), Peaks.mean(low, high));
    assertEquals(high, Peaks.median(List.of(high, low, high)));
  }

  @Test
  void whatCannotBeMeasuredSaysWhy() {
    BenchLibrary library = BenchLibrary.load();
    assertEquals(-1, library.gtr_bench_measure_peak(99, 1, new double[3]));
    assertNotEquals("", library.gtr_bench_last_error());
  }
}
