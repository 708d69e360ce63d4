package io.github.gtr4j.bench.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
  void whatCannotBeMeasuredSaysWhy() {
    BenchLibrary library = BenchLibrary.load();
    assertEquals(-1, library.gtr_bench_measure_peak(99, 1, new double[3]));
    assertNotEquals("", library.gtr_bench_last_error());
  }
}
