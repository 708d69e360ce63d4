package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.kernel.Activation;
import io.github.gtr4j.kernel.Precision;

/**
 * residual + activation(x Wᵀ + b).
 *
 * @param rows of x
 * @param inputs columns of W
 * @param outputs rows of W
 * @param activation the function
 * @param residual whether there is such a term; the result then is what a model adds to its
 *     residual stream, else the input of another product
 * @param cold whether calls take turns on so many copies of W that no cache holds one until its
 *     next turn
 */
record LinearWorkload(
    long rows, long inputs, long outputs, Activation activation, boolean residual, boolean cold)
    implements Workload {
  /** More than any last-level cache holds. */
  private static final double COLD_BYTES = 384e6;

  @Override
  public double flops() {
    return 2.0 * rows * inputs * outputs;
  }

  @Override
  public double memoryBytes(Precision precision) {
    return cold ? weightBytes(precision) : 0;
  }

  /** Operands are larger than a first-level cache, so that products load them from the second. */
  @Override
  public double leastSeconds(Precision precision, Peaks peaks) {
    double bytes = weightBytes(precision);
    double reading =
        cold ? bytes / peaks.readBytes() : bytes >= Peaks.MATRIX ? bytes / peaks.matrixBytes() : 0;
    return Math.max(flops() / peaks.cachedFlops(precision), reading);
  }

  private double weightBytes(Precision precision) {
    return (double) inputs * outputs * Cpu.activation(precision).bytes();
  }

  int copies(Precision precision) {
    return cold ? (int) Math.max(2, Math.ceil(COLD_BYTES / weightBytes(precision))) : 1;
  }

  float[] x() {
    return Numbers.of(1, rows * inputs, 1);
  }

  float[] weight() {
    return Numbers.of(1 / Math.sqrt(inputs), outputs * inputs, 2);
  }

  float[] bias() {
    return Numbers.of(0.5, outputs, 3);
  }

  float[] addend() {
    return Numbers.of(1, rows * outputs, 4);
  }

  @Override
  public Contender open(Implementation implementation, Precision precision, int threads) {
    return implementation == Implementation.GTR4J
        ? new GtrLinear(this, precision, threads)
        : new TorchLinear(this, precision, threads);
  }
}
