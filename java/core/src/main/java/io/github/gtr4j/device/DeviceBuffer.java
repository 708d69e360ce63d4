package io.github.gtr4j.device;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.binding.Address;
import io.github.gtr4j.binding.Gtr;
import io.github.gtr4j.binding.NativeMemory;
import io.github.gtr4j.binding.Status;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.Pointer;

/**
 * Memory of a device, aligned to 64 bytes. The caller closes it; it cannot be closed while a call
 * uses it, nor on a GPU before the streams on which such calls were enqueued are synchronized.
 */
public final class DeviceBuffer extends NativeMemory {
  private final Device device;
  private final MemorySpace space;
  private final long size;
  private final Pointer data;

  DeviceBuffer(Device device, MemorySpace space, long size) {
    super(device, space == MemorySpace.HOST);
    this.device = device;
    this.space = space;
    this.size = size;
    Pointer result = new Address(0, 0);
    try {
      Status.check(Gtr.gtr_allocate(device.handle(), space.code(), size, result));
    } catch (Throwable e) {
      abandon();
      throw e;
    }
    this.data = new Address(result.address(), size);
  }

  /** The device it belongs to. */
  public Device device() {
    return device;
  }

  /** Where it lies. */
  public MemorySpace space() {
    return space;
  }

  /** Its size in bytes. */
  public long size() {
    return size;
  }

  /** Its address. */
  public long address() {
    requireOpen("address");
    return data.address();
  }

  /** The whole buffer as a contiguous tensor. */
  public Tensor tensor(DType dtype, long... shape) {
    return Tensor.of(this, dtype, shape);
  }

  /**
   * Its memory as a direct buffer in native byte order. The view must not be used after the buffer
   * was closed, nor while an enqueued call does, which nothing can prevent.
   *
   * @throws InvalidArgumentException if it lies in a GPU's memory, which Java cannot read; or has
   *     more bytes than a ByteBuffer can: use the other form then
   */
  public ByteBuffer asByteBuffer() {
    return asByteBuffer(0, size);
  }

  /** As {@link #asByteBuffer()}, a part of it. */
  public ByteBuffer asByteBuffer(long offset, long length) {
    requireOpen("as_byte_buffer");
    requireReachableByHost("buffer");
    if (offset < 0 || length < 0 || offset > size - length || length > Integer.MAX_VALUE) {
      throw new InvalidArgumentException(
          "as_byte_buffer",
          "length",
          "bytes "
              + offset
              + " to "
              + (offset + length)
              + " of "
              + size
              + " are no view; allowed are at most "
              + Integer.MAX_VALUE
              + " bytes within the buffer");
    }
    return hostView(data.address() + offset, length);
  }

  /** Throws if Java cannot read it. */
  void requireReachableByHost(String argument) {
    if (!isReachableByHost()) {
      throw new InvalidArgumentException(
          "as_byte_buffer",
          argument,
          argument
              + " lies in memory of "
              + device
              + ", which Java cannot read; copy it to a buffer of MemorySpace.HOST with Stream.copy");
    }
  }

  static ByteBuffer hostView(long address, long bytes) {
    return bytes == 0
        ? ByteBuffer.allocateDirect(0).order(ByteOrder.nativeOrder())
        : new Address(address, bytes).asByteBuffer().order(ByteOrder.nativeOrder());
  }

  @Override
  protected String label() {
    return "buffer of " + size + " bytes";
  }

  @Override
  protected void free() {
    Status.check(Gtr.gtr_free(device.handle(), data));
  }
}
