package io.github.gtr4j.profile;

import io.github.gtr4j.kernel.Operation;

/**
 * What one operation did so far.
 *
 * @param operation which one
 * @param calls how often it ran
 * @param rows rows of its results
 * @param flops 2 per multiply-add of its matrix products
 * @param bytes least memory traffic
 * @param nanoseconds time in its calls
 */
public record KernelCount(
    Operation operation, long calls, long rows, long flops, long bytes, long nanoseconds) {

  /** Time in its calls. */
  public double seconds() {
    return nanoseconds * 1e-9;
  }

  /** Rate of arithmetic in FLOP/s; 0 if it took no time. */
  public double flopsPerSecond() {
    return nanoseconds == 0 ? 0 : flops / seconds();
  }

  /** Rate of memory traffic in bytes/s; 0 if it took no time. */
  public double bytesPerSecond() {
    return nanoseconds == 0 ? 0 : bytes / seconds();
  }
}
