package io.github.gtr4j.binding;

import java.lang.ref.Reference;
import org.bytedeco.javacpp.Pointer;

/**
 * The native side of a tensor: its {@code gtr_tensor}, built once, so that a call allocates
 * nothing.
 */
public abstract class NativeTensor {
  private final NativeObject owner;
  private final Object wrapped;
  private final Pointer data;
  private final gtr_tensor descriptor;

  /**
   * A view of size bytes at address.
   *
   * @param owner whose memory it is, or null
   * @param wrapped what must stay reachable while the tensor is, or null
   */
  protected NativeTensor(
      NativeObject owner,
      Object wrapped,
      long address,
      long size,
      int dtype,
      long[] shape,
      long[] strides) {
    this.owner = owner;
    this.wrapped = wrapped;
    this.data = new Address(address, size);
    this.descriptor = Structs.tensor();
    descriptor.data(data).size(size).dtype(dtype).rank(shape.length);
    for (int i = 0; i < shape.length; i++) {
      descriptor.shape(i, shape[i]);
      descriptor.stride(i, strides[i]);
    }
  }

  /** Whose memory it is, or null if the library does not know. */
  protected final NativeObject owner() {
    return owner;
  }

  /** Keeps the memory from being closed until {@link #unpin}, for calls without a stream. */
  public final void pin(String operation) {
    if (owner != null) {
      owner.acquire(operation);
    }
  }

  /** Ends a {@link #pin}; until then what the tensor wraps stays reachable. */
  public final void unpin() {
    if (owner != null) {
      owner.release();
    }
    Reference.reachabilityFence(this);
  }

  /** What the tensor keeps reachable, or null. */
  protected final Object wrapped() {
    return wrapped;
  }

  /** The struct that native code sees; valid while the tensor is reachable. */
  public final gtr_tensor descriptor() {
    return descriptor;
  }

  final Pointer data() {
    return data;
  }
}
