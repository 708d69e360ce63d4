package io.github.gtr4j.bench.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class PeaksTest {
  /** Of a machine whose caches and softmax hold nothing back. */
  static Peaks of(double f32Flops, double bf16Flops, double readBytes) {
    return new Peaks(f32Flops, bf16Flops, readBytes, bf16Flops, 1e15, 1e15, bf16Flops, bf16Flops);
  }

  @Test
  void everyPeakIsMeasured() {
    Peaks peaks = Peaks.measure(1);
    assertTrue(peaks.f32Flops() > 0 && Double.isFinite(peaks.f32Flops()));
    assertTrue(peaks.bf16Flops() > 0 && Double.isFinite(peaks.bf16Flops()));
    assertTrue(peaks.readBytes() > 0 && Double.isFinite(peaks.readBytes()));
    assertTrue(peaks.cachedBf16Flops() > 0 && Double.isFinite(peaks.cachedBf16Flops()));
    assertTrue(peaks.matrixBytes() > 0 && Double.isFinite(peaks.matrixBytes()));
    assertTrue(peaks.headBytes() > 0 && Double.isFinite(peaks.headBytes()));
    assertTrue(peaks.attention64Flops() > 0 && Double.isFinite(peaks.attention64Flops()));
    assertTrue(peaks.attention80Flops() > 0 && Double.isFinite(peaks.attention80Flops()));
  }

  @Test
  void severalAreOne() {
    Peaks low = new Peaks(1, 2, 3, 4, 5, 6, 7, 8);
    Peaks high = new Peaks(3, 6, 9, 12, 15, 18, 21, 24);
    assertEquals(new Peaks(2, 4, 6, 8, 10, 12, 14, 16), Peaks.mean(low, high));
    assertEquals(high, Peaks.median(List.of(high, low, high)));
  }

  @Test
  void whatCannotBeMeasuredSaysWhy() {
    BenchLibrary library = BenchLibrary.load();
    assertEquals(-1, library.gtr_bench_measure_peak(99, 1, new BenchLibrary.Peak()));
    assertNotEquals("", library.gtr_bench_last_error());
  }
}
