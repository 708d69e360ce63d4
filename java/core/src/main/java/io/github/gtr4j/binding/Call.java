package io.github.gtr4j.binding;

import java.util.Arrays;
import org.bytedeco.javacpp.Pointer;

/**
 * One native call on a stream. Pins what the call uses until it ends: handles and buffers cannot be
 * closed meanwhile, and wrapped memory stays reachable. A stream has one and reuses it.
 */
public final class Call {
  /** More than any operation has arguments. */
  private static final int MOST = 24;

  private final NativeStream stream;
  private final NativeObject[] acquired = new NativeObject[MOST];
  private final NativeTensor[] tensors = new NativeTensor[MOST];
  private int acquiredCount;
  private int tensorCount;
  private String operation = "";

  Call(NativeStream stream) {
    this.stream = stream;
  }

  void start(String operation) {
    this.operation = operation;
  }

  /** The stream's handle. */
  public gtr_stream stream() {
    return stream.handle();
  }

  /** Pins an object until the call ends, and returns it. */
  public <T extends NativeObject> T use(T object) {
    object.acquire(operation);
    acquired[acquiredCount++] = object;
    return object;
  }

  /** Pins a tensor's memory until the call ends; null stays null. */
  public gtr_tensor tensor(NativeTensor tensor) {
    if (tensor == null) {
      return null;
    }
    pin(tensor);
    return tensor.descriptor();
  }

  /** Pins a tensor's memory and returns where it begins; null stays null. */
  public Pointer data(NativeTensor tensor) {
    if (tensor == null) {
      return null;
    }
    pin(tensor);
    return tensor.data();
  }

  private void pin(NativeTensor tensor) {
    if (tensor.owner() != null) {
      use(tensor.owner());
    }
    tensors[tensorCount++] = tensor;
  }

  /** Unpins everything and lets the stream be used again. */
  public void end() {
    for (int i = 0; i < acquiredCount; i++) {
      acquired[i].release();
    }
    Arrays.fill(acquired, 0, acquiredCount, null);
    Arrays.fill(tensors, 0, tensorCount, null);
    acquiredCount = 0;
    tensorCount = 0;
    stream.release();
  }
}
