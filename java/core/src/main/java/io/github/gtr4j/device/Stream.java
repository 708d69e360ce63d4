package io.github.gtr4j.device;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.binding.Call;
import io.github.gtr4j.binding.Gtr;
import io.github.gtr4j.binding.NativeStream;
import io.github.gtr4j.binding.Status;

/**
 * Orders calls. A stream belongs to one thread at a time; only {@link #cancel} may be called on it
 * from others. On the CPU a call returns when it is done.
 */
public final class Stream extends NativeStream {
  private final Device device;

  Stream(Device device, long external) {
    super(device, external);
    this.device = device;
  }

  /** The device it belongs to. */
  public Device device() {
    return device;
  }

  /** Waits for everything that was enqueued, and reports asynchronous failures. */
  public void synchronize() {
    Call call = begin("stream_synchronize");
    try {
      Status.check(Gtr.gtr_stream_synchronize(call.stream()));
    } finally {
      call.end();
    }
  }

  /**
   * Makes the call that runs on the stream, and later ones, throw {@link
   * io.github.gtr4j.CancelledException} soon, until {@link #reset}. From any thread.
   */
  public void cancel() {
    cancelNative();
  }

  /** Ends the effect of {@link #cancel}. */
  public void reset() {
    Call call = begin("stream_reset");
    try {
      Status.check(Gtr.gtr_stream_reset(call.stream()));
    } finally {
      call.end();
    }
  }

  /**
   * Copies a tensor's memory to another's, between host and device in any direction. Both are
   * contiguous and have the same size in bytes, and do not overlap.
   */
  public void copy(Tensor target, Tensor source) {
    requireContiguous("target", target);
    requireContiguous("source", source);
    if (target.isReadOnly()) {
      throw new InvalidArgumentException("copy", "target", "target is read-only");
    }
    long bytes = target.elements() * target.dtype().bytes();
    if (source.elements() * source.dtype().bytes() != bytes) {
      throw new InvalidArgumentException(
          "copy",
          "source",
          "source has "
              + source.elements() * source.dtype().bytes()
              + " bytes; allowed are "
              + bytes
              + ", as many as target has");
    }
    if (bytes == 0) {
      return;
    }
    Call call = begin("copy");
    try {
      Status.check(Gtr.gtr_copy(call.stream(), call.data(target), call.data(source), bytes));
    } finally {
      call.end();
    }
  }

  private static void requireContiguous(String argument, Tensor tensor) {
    if (tensor == null) {
      throw new InvalidArgumentException("copy", argument, argument + " is null");
    }
    if (!tensor.isContiguous()) {
      throw new InvalidArgumentException(
          "copy", argument, argument + " is not contiguous: " + tensor);
    }
  }

  @Override
  protected String label() {
    return device == null ? "stream" : "stream of " + device;
  }
}
