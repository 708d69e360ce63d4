package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.kernel.Precision;

/**
 * What one implementation took for one case. Results that differ in the implementation alone belong
 * together: their times make a ratio.
 *
 * @param operation such as "linear"
 * @param shape of which model, layer and rows, such as "MAR-B qkv, 640 rows"
 * @param precision of the matrix products
 * @param implementation who computed
 * @param seconds median time of an operation
 * @param spread half the distance between the quartiles of that time, in seconds
 * @param flops floating-point operations, 2 per multiply-add, that were executed; 0: not counted
 * @param bytes least traffic with memory of an operation whose data no cache holds; 0: not counted
 * @param bytesPerOp bytes that an operation allocates on the Java heap; NaN: not measured
 */
public record Result(
    String operation,
    String shape,
    Precision precision,
    Implementation implementation,
    double seconds,
    double spread,
    double flops,
    double bytes,
    double bytesPerOp) {

  /** Floating-point operations per second; 0 if they were not counted. */
  public double flopsPerSecond() {
    return flops / seconds;
  }

  /** Bytes of memory per second; 0 if they were not counted. */
  public double bytesPerSecond() {
    return bytes / seconds;
  }
}
