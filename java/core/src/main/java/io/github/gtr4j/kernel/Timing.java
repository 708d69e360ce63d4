package io.github.gtr4j.kernel;

import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;

/** Tells a stream's listener of an operation. */
final class Timing {
  private Timing() {}

  /** Now, if somebody listens. */
  static long start(Stream stream) {
    return stream.listener() == null ? 0 : System.nanoTime();
  }

  /** Whether somebody listens, so that the numbers for {@link #end} are worth computing. */
  static boolean isOn(Stream stream) {
    return stream.listener() != null;
  }

  /** Reports an operation that began at start. */
  static void end(
      Stream stream, Operation operation, long start, long rows, long flops, long bytes) {
    long elapsed = System.nanoTime() - start;
    ((KernelListener) stream.listener()).completed(operation, rows, flops, bytes, elapsed);
  }

  /** Bytes of a tensor's elements; 0 for null. */
  static long bytes(Tensor tensor) {
    return tensor == null ? 0 : tensor.elements() * tensor.dtype().bytes();
  }
}
