package io.github.gtr4j.kernel;

import io.github.gtr4j.device.Tensor;

/** Keeps the memory of one or two tensors from being closed during a call that has no stream. */
final class Pins implements AutoCloseable {
  private final Tensor first;
  private final Tensor second;

  Pins(String operation, Tensor first, Tensor second) {
    first.pin(operation);
    if (second != null) {
      try {
        second.pin(operation);
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
