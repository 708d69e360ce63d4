package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.device.CpuTier;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceOptions;
import io.github.gtr4j.kernel.Precision;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.openjdk.jmh.util.ListStatistics;

/**
 * What the machine reaches at most, measured in the run whose shares it is the whole of; all per
 * second.
 *
 * @param f32Flops floating-point operations in float
 * @param bf16Flops floating-point operations of bfloat16 products
 * @param readBytes bytes read from memory
 * @param cachedBf16Flops as bf16Flops, with operands from the second-level cache
 * @param matrixBytes bytes read of {@link #MATRIX} bytes again and again, each thread its part
 * @param headBytes the same of {@link #HEAD} bytes
 * @param attention64Flops as bf16Flops, with keys and values from the second-level cache, beside
 *     the softmax that heads of 64 elements need
 * @param attention80Flops the same of 80
 */
public record Peaks(
    double f32Flops,
    double bf16Flops,
    double readBytes,
    double cachedBf16Flops,
    double matrixBytes,
    double headBytes,
    double attention64Flops,
    double attention80Flops) {
  /** Bytes of qkv of a block of MAR-B in bfloat16. */
  static final long MATRIX = 3L * 768 * 768 * 2;

  /** Bytes of the square matrices of MAR-B's diffusion head in bfloat16. */
  static final long HEAD = 2L * 6 * 1024 * 1024 * 2;

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
    BenchLibrary.Peak peak = new BenchLibrary.Peak();
    if (library.gtr_bench_measure_peak(tier.code(), threads, peak) != 0) {
      throw new IllegalStateException(library.gtr_bench_last_error());
    }
    return new Peaks(
        peak.f32Flops,
        peak.bf16Flops,
        peak.readBytes,
        peak.cachedBf16Flops,
        peak.matrixBytes,
        peak.headBytes,
        peak.attention64Flops,
        peak.attention80Flops);
  }

  /** Between two measurements: what the machine reached while something else ran. */
  static Peaks mean(Peaks before, Peaks after) {
    return combined(value -> (value.applyAsDouble(before) + value.applyAsDouble(after)) / 2);
  }

  /** The median of each peak. */
  static Peaks median(List<Peaks> several) {
    return combined(
        value ->
            new ListStatistics(several.stream().mapToDouble(value).toArray()).getPercentile(50));
  }

  private static Peaks combined(ToDoubleFunction<ToDoubleFunction<Peaks>> each) {
    return new Peaks(
        each.applyAsDouble(Peaks::f32Flops),
        each.applyAsDouble(Peaks::bf16Flops),
        each.applyAsDouble(Peaks::readBytes),
        each.applyAsDouble(Peaks::cachedBf16Flops),
        each.applyAsDouble(Peaks::matrixBytes),
        each.applyAsDouble(Peaks::headBytes),
        each.applyAsDouble(Peaks::attention64Flops),
        each.applyAsDouble(Peaks::attention80Flops));
  }

  /** Floating-point operations per second at a precision. */
  public double flops(Precision precision) {
    return precision == Precision.BF16 ? bf16Flops : f32Flops;
  }

  /** The same with operands from the second-level cache. */
  double cachedFlops(Precision precision) {
    return precision == Precision.BF16 ? cachedBf16Flops : f32Flops;
  }

  /** The same beside the softmax of attention, as far as heads of that size were measured. */
  double attentionFlops(Precision precision, long headDim) {
    if (precision == Precision.F32) {
      return f32Flops;
    }
    return headDim == 64 ? attention64Flops : headDim == 80 ? attention80Flops : bf16Flops;
  }
}
