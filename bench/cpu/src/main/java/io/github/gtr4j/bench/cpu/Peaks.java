package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.device.CpuTier;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceOptions;
import io.github.gtr4j.kernel.Precision;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.openjdk.jmh.util.ListStatistics;

/**
 * What the machine reaches at most, measured in the run whose shares it is the whole of.
 *
 * @param f32Flops floating-point operations per second in float
 * @param bf16Flops floating-point operations per second of bfloat16 products
 * @param readBytes bytes read from memory per second
 */
public record Peaks(double f32Flops, double bf16Flops, double readBytes) {
  /** Milliseconds in which a process that has just been measured goes away or to sleep. */
  private static final int SETTLING = 500;

  /**
   * Measures what so many threads reach with the instructions of the tier that our device picks.
   */
  static Peaks measure(int threads) {
    try {
      Thread.sleep(SETTLING);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    CpuTier tier;
    try (Device device = Device.open(DeviceOptions.cpu().withThreads(threads))) {
      tier = device.info().tier();
    }
    BenchLibrary library = BenchLibrary.load();
    double[] peaks = new double[3];
    if (library.gtr_bench_measure_peak(tier.code(), threads, peaks) != 0) {
      throw new IllegalStateException(library.gtr_bench_last_error());
    }
    return new Peaks(peaks[0], peaks[1], peaks[2]);
  }

  /** Between two measurements: what the machine reached while something else ran. */
  static Peaks mean(Peaks before, Peaks after) {
    return new Peaks(
        (before.f32Flops + after.f32Flops) / 2,
        (before.bf16Flops + after.bf16Flops) / 2,
        (before.readBytes + after.readBytes) / 2);
  }

  /** The median of each peak. */
  static Peaks median(List<Peaks> several) {
    return new Peaks(
        median(several, Peaks::f32Flops),
        median(several, Peaks::bf16Flops),
        median(several, Peaks::readBytes));
  }

  private static double median(List<Peaks> several, ToDoubleFunction<Peaks> value) {
    return new ListStatistics(several.stream().mapToDouble(value).toArray()).getPercentile(50);
  }

  /** Floating-point operations per second at a precision. */
  public double flops(Precision precision) {
    return precision == Precision.BF16 ? bf16Flops : f32Flops;
  }
}
