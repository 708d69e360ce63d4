package io.github.gtr4j.binding;

import io.github.gtr4j.InvalidArgumentException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.Pointer;

/**
 * The native side of a tensor: its {@code gtr_tensor}, built once, so that a call allocates
 * nothing.
 */
public abstract class NativeTensor {
  private final NativeMemory owner;
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
      NativeMemory owner,
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
  protected final NativeMemory owner() {
    return owner;
  }

  /** Whether Java can read and write it; true if that is not known. */
  protected final boolean isReachableByHost() {
    return owner == null || owner.isReachableByHost();
  }

  /** Whether kernels of a GPU can; true if that is not known. */
  final boolean isReachableBy(NativeDevice gpu) {
    return owner == null ? !(wrapped instanceof ByteBuffer) : owner.isReachableBy(gpu);
  }

  /** Where it lies, for messages. */
  protected final String place() {
    return owner == null ? "a direct buffer" : owner.place();
  }

  /**
   * Keeps memory that the host reads from being closed until {@link #unpin}, for calls without a
   * stream.
   *
   * @param argument its name
   */
  public final void pin(String operation, String argument) {
    if (!isReachableByHost()) {
      throw new InvalidArgumentException(
          operation,
          argument,
          argument + " lies in " + place() + "; allowed is memory that the host can read");
    }
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
