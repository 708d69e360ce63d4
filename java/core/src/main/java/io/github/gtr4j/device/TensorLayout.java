package io.github.gtr4j.device;

import io.github.gtr4j.InvalidArgumentException;
import java.util.Arrays;

/** Shape and strides of a tensor, in elements. */
final class TensorLayout {
  private static final int MAX_RANK = 4;

  private TensorLayout() {}

  /** Strides of a dense row-major tensor. */
  static long[] denseStrides(long[] shape) {
    long[] strides = new long[shape.length];
    long stride = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= Math.max(1, shape[i]);
    }
    return strides;
  }

  /** Number of elements; the shape was checked. */
  static long elements(long[] shape) {
    long n = 1;
    for (long d : shape) {
      n *= d;
    }
    return n;
  }

  /** Whether elements follow each other without gaps in row-major order. */
  static boolean isContiguous(long[] shape, long[] strides) {
    long expected = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      if (shape[i] == 0) {
        return true;
      }
      if (shape[i] != 1 && strides[i] != expected) {
        return false;
      }
      expected *= shape[i];
    }
    return true;
  }

  /** Throws unless a tensor of that layout fits into size bytes at address. */
  static void check(long address, long size, DType dtype, long[] shape, long[] strides) {
    if (shape.length < 1 || shape.length > MAX_RANK) {
      throw refuse(
          "shape",
          "shape "
              + Arrays.toString(shape)
              + " has "
              + shape.length
              + " dimensions; allowed are 1 to "
              + MAX_RANK);
    }
    if (strides.length != shape.length) {
      throw refuse(
          "strides",
          "strides "
              + Arrays.toString(strides)
              + " do not fit shape "
              + Arrays.toString(shape)
              + "; allowed is one per dimension");
    }
    if (size < 0) {
      throw refuse("size", "size is " + size + " bytes; allowed are 0 and more");
    }
    boolean empty = false;
    for (int i = 0; i < shape.length; i++) {
      if (shape[i] < 0) {
        throw refuse("shape", "shape is " + Arrays.toString(shape) + "; allowed are 0 and more");
      }
      if (strides[i] < 0) {
        throw refuse(
            "strides", "strides are " + Arrays.toString(strides) + "; allowed are 0 and more");
      }
      empty |= shape[i] == 0;
    }
    if (empty) {
      return;
    }
    if (address == 0) {
      throw refuse("address", "address is null");
    }
    if (address % dtype.bytes() != 0) {
      throw refuse(
          "address",
          "address 0x"
              + Long.toHexString(address)
              + " is misaligned; allowed are multiples of "
              + dtype.bytes()
              + " for "
              + dtype);
    }
    long needed;
    try {
      long last = 0;
      long n = 1;
      for (int i = 0; i < shape.length; i++) {
        last = Math.addExact(last, Math.multiplyExact(shape[i] - 1, strides[i]));
        n = Math.multiplyExact(n, shape[i]);
      }
      needed = Math.multiplyExact(Math.addExact(last, 1), dtype.bytes());
    } catch (ArithmeticException e) {
      throw refuse(
          "strides",
          "shape "
              + Arrays.toString(shape)
              + " with strides "
              + Arrays.toString(strides)
              + " overflows 64 bits");
    }
    if (needed > size) {
      throw refuse(
          "size",
          "size is "
              + size
              + " bytes, but shape "
              + Arrays.toString(shape)
              + " with strides "
              + Arrays.toString(strides)
              + " of "
              + dtype
              + " needs "
              + needed);
    }
  }

  static InvalidArgumentException refuse(String argument, String problem) {
    return new InvalidArgumentException("tensor", argument, problem);
  }
}
