package io.github.gtr4j.binding;

import io.github.gtr4j.InvalidArgumentException;
import java.util.Arrays;
import org.bytedeco.javacpp.Pointer;

/**
 * One native call on a stream. Pins what the call uses until it ends, or on a GPU until the stream
 * has passed it: handles and buffers cannot be closed meanwhile, and wrapped memory stays
 * reachable. A stream has one and reuses it.
 */
public final class Call {
  /** More than any operation has arguments. */
  static final int MOST = 24;

  private final NativeStream stream;
  private final InFlight inFlight;
  private final NativeObject[] acquired = new NativeObject[MOST];
  private final NativeTensor[] tensors = new NativeTensor[MOST];
  private int acquiredCount;
  private int tensorCount;
  private boolean enqueued;
  private String operation = "";

  /**
   * The calls of a stream.
   *
   * @param inFlight what its enqueued calls use; null if calls return when they are done
   */
  Call(NativeStream stream, InFlight inFlight) {
    this.stream = stream;
    this.inFlight = inFlight;
  }

  void start(String operation) {
    this.operation = operation;
    enqueued = false;
  }

  /** The stream's handle. */
  public gtr_stream stream() {
    return stream.handle();
  }

  /** Pins an object, and returns it. */
  public <T extends NativeObject> T use(T object) {
    object.acquire(operation);
    acquired[acquiredCount++] = object;
    return object;
  }

  /**
   * Pins the memory of a tensor that kernels of the stream's device read or write; null stays null.
   *
   * @param argument its name
   * @throws InvalidArgumentException if it is known that they cannot reach it
   */
  public gtr_tensor tensor(String argument, NativeTensor tensor) {
    if (tensor == null) {
      return null;
    }
    requireReachable(argument, tensor);
    pin(tensor);
    return tensor.descriptor();
  }

  /** As {@link #tensor}, for where scratch memory begins. */
  public Pointer scratch(NativeTensor tensor) {
    if (tensor == null) {
      return null;
    }
    requireReachable("scratch", tensor);
    pin(tensor);
    return tensor.data();
  }

  /**
   * Pins a tensor that is copied from or to, wherever the stream's device can copy, and returns
   * where it begins.
   *
   * @param argument its name
   */
  public Pointer copied(String argument, NativeTensor tensor) {
    if (!stream.device().isAsynchronous()) {
      requireReachable(argument, tensor);
    }
    pin(tensor);
    return tensor.data();
  }

  private void requireReachable(String argument, NativeTensor tensor) {
    NativeDevice device = stream.device();
    if (device.isAsynchronous() ? !tensor.isReachableBy(device) : !tensor.isReachableByHost()) {
      throw new InvalidArgumentException(
          operation,
          argument,
          argument
              + " lies in "
              + tensor.place()
              + ", which "
              + device.label()
              + " cannot reach; allowed is memory of that device");
    }
  }

  private void pin(NativeTensor tensor) {
    if (tensor.owner() != null) {
      use(tensor.owner());
    }
    tensors[tensorCount++] = tensor;
  }

  /** Takes the native function's result: throws unless it is {@code GTR_OK}. */
  public void check(int status) {
    // A refused argument is the one failure of which nothing can have been enqueued.
    enqueued = status != Gtr.GTR_ERROR_INVALID_ARGUMENT;
    Status.check(status);
  }

  /** Unpins everything that the stream has passed, and lets the stream be used again. */
  public void end() {
    if (inFlight != null && enqueued) {
      stream.noteEnqueued();
      for (int i = 0; i < acquiredCount; i++) {
        inFlight.hold(acquired[i]);
      }
      for (int i = 0; i < tensorCount; i++) {
        if (tensors[i].wrapped() != null) {
          inFlight.keep(tensors[i].wrapped());
        }
      }
    } else {
      for (int i = 0; i < acquiredCount; i++) {
        acquired[i].release();
      }
    }
    Arrays.fill(acquired, 0, acquiredCount, null);
    Arrays.fill(tensors, 0, tensorCount, null);
    acquiredCount = 0;
    tensorCount = 0;
    stream.release();
  }
}
