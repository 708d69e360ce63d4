package io.github.gtr4j.device;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.binding.NativeTensor;
import io.github.gtr4j.binding.Pointers;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.bytedeco.javacpp.Pointer;

/**
 * A view of memory with an element type, a shape and strides. It copies nothing and owns nothing:
 * it keeps what it wraps reachable, its native descriptor is built once, and it needs no close.
 * Immutable, though its elements are not.
 */
public final class Tensor extends NativeTensor {
  private final long address;
  private final long size;
  private final DType dtype;
  private final long[] shape;
  private final long[] strides;
  private final boolean readOnly;
  private final DeviceBuffer buffer;

  private Tensor(
      DeviceBuffer owner,
      Object wrapped,
      long address,
      long size,
      DType dtype,
      long[] shape,
      long[] strides,
      boolean readOnly) {
    super(owner, wrapped, address, size, dtype.code(), shape, strides);
    this.address = address;
    this.size = size;
    this.dtype = dtype;
    this.shape = shape;
    this.strides = strides;
    this.readOnly = readOnly;
    this.buffer = owner;
  }

  private static Tensor create(
      DeviceBuffer owner,
      Object wrapped,
      long address,
      long size,
      DType dtype,
      long[] shape,
      long[] strides,
      boolean readOnly) {
    if (dtype == null) {
      throw TensorLayout.refuse("dtype", "dtype is null");
    }
    if (shape == null) {
      throw TensorLayout.refuse("shape", "shape is null");
    }
    long[] ownShape = shape.clone();
    long[] ownStrides = strides == null ? TensorLayout.denseStrides(ownShape) : strides.clone();
    TensorLayout.check(address, size, dtype, ownShape, ownStrides);
    return new Tensor(owner, wrapped, address, size, dtype, ownShape, ownStrides, readOnly);
  }

  /** A contiguous view of a buffer from its beginning. */
  public static Tensor of(DeviceBuffer buffer, DType dtype, long... shape) {
    return of(buffer, 0, dtype, shape);
  }

  /** A contiguous view of a buffer from a byte offset on. */
  public static Tensor of(DeviceBuffer buffer, long offset, DType dtype, long... shape) {
    if (buffer == null) {
      throw TensorLayout.refuse("buffer", "buffer is null");
    }
    if (offset < 0 || offset > buffer.size()) {
      throw TensorLayout.refuse(
          "offset", "offset is " + offset + "; allowed are 0 to " + buffer.size());
    }
    return create(
        buffer, null, buffer.address() + offset, buffer.size() - offset, dtype, shape, null, false);
  }

  /**
   * A contiguous view of a direct buffer from its position to its limit. A read-only buffer gives a
   * tensor that can only be an input.
   */
  public static Tensor wrap(ByteBuffer buffer, DType dtype, long... shape) {
    if (buffer == null) {
      throw TensorLayout.refuse("buffer", "buffer is null");
    }
    if (!buffer.isDirect()) {
      throw TensorLayout.refuse(
          "buffer", "buffer lies in the Java heap; allowed are direct buffers");
    }
    ByteBuffer view = buffer.slice();
    long address = new Pointer(view).address();
    return create(null, view, address, view.remaining(), dtype, shape, null, buffer.isReadOnly());
  }

  /**
   * A contiguous view of what a JavaCPP pointer points at, from its position on: memory of the
   * host, or of a GPU such as the CUDA preset's functions allocate.
   *
   * @param bytes how many bytes there belong to the tensor; a pointer often does not know
   */
  public static Tensor wrap(Pointer pointer, long bytes, DType dtype, long... shape) {
    if (pointer == null || pointer.isNull()) {
      throw TensorLayout.refuse("pointer", "pointer is null");
    }
    return create(null, pointer, Pointers.address(pointer), bytes, dtype, shape, null, false);
  }

  /**
   * A contiguous view of raw memory, of the host or of a device. The caller keeps it valid.
   *
   * @param bytes how many bytes there belong to the tensor
   */
  public static Tensor wrap(long address, long bytes, DType dtype, long... shape) {
    return create(null, null, address, bytes, dtype, shape, null, false);
  }

  /** The same memory with another shape and other strides, in elements. Stride 0 repeats. */
  public Tensor withLayout(long[] shape, long[] strides) {
    if (strides == null) {
      throw TensorLayout.refuse("strides", "strides are null");
    }
    return create(buffer, wrapped(), address, size, dtype, shape, strides, readOnly);
  }

  /** The part with indices first to first + count - 1 in one dimension. */
  public Tensor slice(int dimension, long first, long count) {
    long extent = shape(dimension);
    if (first < 0 || count < 0 || first > extent - count) {
      throw TensorLayout.refuse(
          "first",
          "indices "
              + first
              + " to "
              + (first + count - 1)
              + " of dimension "
              + dimension
              + " are no slice of "
              + this
              + "; allowed are 0 to "
              + (extent - 1));
    }
    long[] newShape = shape.clone();
    newShape[dimension] = count;
    long skip = first * strides[dimension] * dtype.bytes();
    if (TensorLayout.elements(newShape) == 0) {
      skip = Math.min(skip, size); // nothing is there, so it need not be within
    }
    return create(
        buffer, wrapped(), address + skip, size - skip, dtype, newShape, strides, readOnly);
  }

  /** Rows first to first + count - 1: a slice of the first dimension. */
  public Tensor rows(long first, long count) {
    return slice(0, first, count);
  }

  /** The same elements of a contiguous tensor in another shape. */
  public Tensor reshape(long... newShape) {
    if (newShape == null) {
      throw TensorLayout.refuse("shape", "shape is null");
    }
    if (!isContiguous()) {
      throw TensorLayout.refuse("shape", this + " is not contiguous and cannot be reshaped");
    }
    long n = 1;
    for (long d : newShape) {
      if (d < 0 || (d > 0 && n > Long.MAX_VALUE / d)) {
        n = -1;
        break;
      }
      n *= d;
    }
    if (n != elements()) {
      throw TensorLayout.refuse(
          "shape",
          "shape "
              + Arrays.toString(newShape)
              + " does not have the "
              + elements()
              + " elements of "
              + this);
    }
    return create(buffer, wrapped(), address, size, dtype, newShape, null, readOnly);
  }

  /**
   * The same elements with dimensions in another order: dimension i of the result is dimension
   * order[i].
   */
  public Tensor permute(int... order) {
    long[] newShape = new long[rank()];
    long[] newStrides = new long[rank()];
    boolean[] seen = new boolean[rank()];
    boolean valid = order != null && order.length == rank();
    for (int i = 0; valid && i < order.length; i++) {
      valid = order[i] >= 0 && order[i] < rank() && !seen[order[i]];
      if (valid) {
        seen[order[i]] = true;
        newShape[i] = shape[order[i]];
        newStrides[i] = strides[order[i]];
      }
    }
    if (!valid) {
      throw TensorLayout.refuse(
          "order",
          "order "
              + Arrays.toString(order)
              + " is no permutation of the "
              + rank()
              + " dimensions of "
              + this);
    }
    return create(buffer, wrapped(), address, size, dtype, newShape, newStrides, readOnly);
  }

  /**
   * The same elements repeated with stride 0 to a larger shape: dimensions are aligned at the last
   * one, and those that are 1 or missing repeat. Only an input may have such a shape.
   */
  public Tensor broadcast(long... newShape) {
    if (newShape == null || newShape.length < rank()) {
      throw TensorLayout.refuse(
          "shape", this + " cannot be broadcast to " + Arrays.toString(newShape));
    }
    long[] newStrides = new long[newShape.length];
    int added = newShape.length - rank();
    for (int i = 0; i < rank(); i++) {
      if (shape[i] == newShape[i + added]) {
        newStrides[i + added] = strides[i];
      } else if (shape[i] != 1) {
        throw TensorLayout.refuse(
            "shape", this + " cannot be broadcast to " + Arrays.toString(newShape));
      }
    }
    return create(buffer, wrapped(), address, size, dtype, newShape, newStrides, readOnly);
  }

  /** Type of the elements. */
  public DType dtype() {
    return dtype;
  }

  /** Number of dimensions, 1 to 4. */
  public int rank() {
    return shape.length;
  }

  /** Extent of one dimension. */
  public long shape(int dimension) {
    requireDimension(dimension);
    return shape[dimension];
  }

  /** Extents of all dimensions. */
  public long[] shape() {
    return shape.clone();
  }

  /** Distance in elements between neighbours in one dimension. */
  public long stride(int dimension) {
    requireDimension(dimension);
    return strides[dimension];
  }

  /** Distances in elements between neighbours in all dimensions. */
  public long[] strides() {
    return strides.clone();
  }

  private void requireDimension(int dimension) {
    if (dimension < 0 || dimension >= shape.length) {
      throw TensorLayout.refuse(
          "dimension", "dimension is " + dimension + "; allowed are 0 to " + (shape.length - 1));
    }
  }

  /** Number of elements. */
  public long elements() {
    return TensorLayout.elements(shape);
  }

  /** Address of the first element. */
  public long address() {
    return address;
  }

  /** Bytes at the address that belong to the tensor. */
  public long size() {
    return size;
  }

  /** Whether elements follow each other without gaps in row-major order. */
  public boolean isContiguous() {
    return TensorLayout.isContiguous(shape, strides);
  }

  /** Whether it can only be an input. */
  public boolean isReadOnly() {
    return readOnly;
  }

  /**
   * The elements of a contiguous tensor in host memory as a direct buffer in native byte order. The
   * view must not be used after the memory's owner was closed, nor while an enqueued call uses it,
   * which nothing can prevent.
   *
   * @throws InvalidArgumentException if the tensor is known to lie in a GPU's memory
   */
  public ByteBuffer asByteBuffer() {
    long bytes = elements() * dtype.bytes();
    if (!isContiguous() || bytes > Integer.MAX_VALUE) {
      throw new InvalidArgumentException(
          "as_byte_buffer",
          "tensor",
          this + " is no view; allowed are contiguous tensors below 2 GiB");
    }
    if (wrapped() instanceof ByteBuffer bytesWrapped) {
      // A slice of it, so that the view keeps it reachable.
      int offset = Math.toIntExact(address - new Pointer(bytesWrapped).address());
      return bytesWrapped.slice(offset, (int) bytes).order(ByteOrder.nativeOrder());
    }
    if (buffer == null) {
      return DeviceBuffer.hostView(address, bytes);
    }
    buffer.requireReachableByHost("tensor");
    buffer.acquire("as_byte_buffer");
    try {
      return DeviceBuffer.hostView(address, bytes);
    } finally {
      buffer.release();
    }
  }

  /** Such as {@code "F32 [2, 3]"}. */
  @Override
  public String toString() {
    String text = dtype + " " + Arrays.toString(shape);
    return isContiguous() ? text : text + " with strides " + Arrays.toString(strides);
  }
}
