package io.github.gtr4j.device;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.binding.Call;
import io.github.gtr4j.binding.Gtr;
import io.github.gtr4j.binding.NativeStream;
import io.github.gtr4j.binding.Status;

/**
 * Orders calls. A stream belongs to one thread at a time; only {@link #cancel} may be called on it
 * from others. On the CPU a call returns when it is done.
 *
 * <p>On a GPU a call returns when it is enqueued, and what goes wrong then is thrown by a later
 * {@link #synchronize}. Until then everything that the call uses stays reachable and cannot be
 * closed; memory that it reads must not be changed. A stream holds up to 1024 different buffers,
 * weights and wrapped memories for enqueued calls; a call that could need room for more waits for
 * the earlier ones first. Closing a stream waits for all of them, so a stream that is declared
 * after the memory it works on, in a try-with-resources statement, leaves nothing that cannot be
 * closed.
 */
public final class Stream extends NativeStream {
  private final Device device;

  Stream(Device device, long address, Object external) {
    super(device, address, external);
    this.device = device;
  }

  /** The device it belongs to. */
  public Device device() {
    return device;
  }

  /**
   * Waits for everything that was enqueued.
   *
   * @throws io.github.gtr4j.GtrException if one of the calls failed since the last wait; the
   *     message names the operations that were enqueued
   */
  public void synchronize() {
    synchronizeNative("stream_synchronize");
  }

  /**
   * Whether there is nothing to wait for: no call was enqueued since the last {@link #synchronize}.
   * Always so on the CPU. From the stream's thread.
   */
  public boolean isIdle() {
    return hasPassedAll();
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
   * contiguous and have the same size in bytes, and do not overlap. On a GPU neither may be used by
   * the host until {@link #synchronize} returns; copies from and to memory in {@link
   * MemorySpace#HOST} are the fast ones.
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
      call.check(
          Gtr.gtr_copy(
              call.stream(), call.copied("target", target), call.copied("source", source), bytes));
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
