package io.github.gtr4j.kernel;

import io.github.gtr4j.device.Stream;

/**
 * Is told of every operation on the streams that it was attached to. Without one, nothing is
 * measured.
 */
@FunctionalInterface
public interface KernelListener {
  /**
   * Called on the stream's thread after an operation succeeded. On the CPU the time is that of the
   * work; elsewhere that of enqueuing it.
   *
   * @param operation which one
   * @param rows rows of its result; for a chain, rows times reverse steps
   * @param flops 2 per multiply-add of its matrix products, with no savings counted; 0 for
   *     operations without
   * @param bytes least memory traffic: every input, weight and output once
   * @param nanoseconds time from call to return
   */
  void completed(Operation operation, long rows, long flops, long bytes, long nanoseconds);

  /**
   * Attaches a listener to a stream in place of the one it had; null: none. From the stream's
   * thread.
   */
  static void attach(Stream stream, KernelListener listener) {
    stream.listener(listener);
  }
}
