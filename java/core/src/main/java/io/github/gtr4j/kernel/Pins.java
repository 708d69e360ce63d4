package io.github.gtr4j.kernel;

import io.github.gtr4j.device.Tensor;

/**
 * Keeps the memory of one or two tensors, which the host reads, from being closed during a call
 * that has no stream.
 */
final class Pins implements AutoCloseable {
  private final Tensor first;
  private final Tensor second;

  Pins(String operation, String firstName, Tensor first, String secondName, Tensor second) {
    first.pin(operation, firstName);
    if (second != null) {
      try {
        second.pin(operation, secondName);
      } catch (Throwable e) {
        first.unpin();
        throw e;
      }
    }
    this.first = first;
    this.second = second;
  }

  @Override
  public void close() {
    first.unpin();
    if (second != null) {
      second.unpin();
    }
  }
}
