package io.github.gtr4j.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Tensors in direct buffers, filled from and read into arrays. */
public final class TestMemory {
  private TestMemory() {}

  /** A direct buffer of that many zero bytes in native order. */
  public static ByteBuffer bytes(long n) {
    return ByteBuffer.allocateDirect(Math.toIntExact(n)).order(ByteOrder.nativeOrder());
  }

  /** A float tensor that holds the values. */
  public static Tensor floats(float[] values, long... shape) {
    ByteBuffer buffer = bytes(4L * values.length);
    buffer.asFloatBuffer().put(values);
    return Tensor.wrap(buffer, DType.F32, shape);
  }

  /** A float tensor full of NaN: an output before the call. */
  public static Tensor poisoned(long... shape) {
    float[] values = new float[Math.toIntExact(TensorLayout.elements(shape))];
    java.util.Arrays.fill(values, Float.NaN);
    return floats(values, shape);
  }

  /** A tensor of 32-bit integers, signed or not. */
  public static Tensor ints(DType dtype, int... values) {
    ByteBuffer buffer = bytes(4L * values.length);
    buffer.asIntBuffer().put(values);
    return Tensor.wrap(buffer, dtype, values.length);
  }

  /** A tensor of unsigned 64-bit integers. */
  public static Tensor longs(long... values) {
    ByteBuffer buffer = bytes(8L * values.length);
    buffer.asLongBuffer().put(values);
    return Tensor.wrap(buffer, DType.U64, values.length);
  }

  /** A tensor of bytes. */
  public static Tensor bytes(byte[] values, long... shape) {
    ByteBuffer buffer = bytes(values.length);
    buffer.put(values).flip();
    return Tensor.wrap(buffer, DType.U8, shape);
  }

  /** Scratch memory, aligned as kernels want it. */
  public static Tensor scratch(int n) {
    ByteBuffer aligned = ByteBuffer.allocateDirect(n + 64).alignedSlice(64);
    return Tensor.wrap(aligned, DType.U8, aligned.capacity());
  }

  /** A bfloat16 tensor of the values, which it can represent. */
  public static Tensor bfloats(float[] values, long... shape) {
    ByteBuffer buffer = bytes(2L * values.length);
    for (int i = 0; i < values.length; i++) {
      buffer.putShort(2 * i, (short) (Float.floatToRawIntBits(values[i]) >>> 16));
    }
    return Tensor.wrap(buffer, DType.BF16, shape);
  }

  /** The elements of a contiguous float tensor. */
  public static float[] floats(Tensor tensor) {
    float[] values = new float[Math.toIntExact(tensor.elements())];
    tensor.asByteBuffer().asFloatBuffer().get(values);
    return values;
  }

  /** The elements of a contiguous tensor of 32-bit integers. */
  public static int[] ints(Tensor tensor) {
    int[] values = new int[Math.toIntExact(tensor.elements())];
    tensor.asByteBuffer().asIntBuffer().get(values);
    return values;
  }
}
