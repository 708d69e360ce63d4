package io.github.gtr4j.kernel;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import java.util.Arrays;

/**
 * Checks of arguments before the boundary. Allocates only to complain: dimensions are passed one by
 * one, and -1 stands for any extent.
 */
final class Arguments {
  /** Any extent. */
  static final long ANY = -1;

  /** Sets of element types, one bit each. */
  static final int F32 = 1 << 0;

  static final int F16 = 1 << 1;
  static final int BF16 = 1 << 2;
  static final int I32 = 1 << 3;
  static final int U32 = 1 << 4;
  static final int U64 = 1 << 5;
  static final int U8 = 1 << 6;
  static final int FLOATS = F32 | BF16;
  static final int WEIGHTS = F32 | F16 | BF16;

  private Arguments() {}

  static InvalidArgumentException refuse(String operation, String argument, String problem) {
    return new InvalidArgumentException(operation, argument, problem);
  }

  static <T> T notNull(String operation, String argument, T value) {
    if (value == null) {
      throw refuse(operation, argument, argument + " is null");
    }
    return value;
  }

  static void sameDevice(String operation, Stream stream, Device device) {
    notNull(operation, "stream", stream);
    if (stream.device() != device) {
      throw refuse(
          operation,
          "stream",
          "stream belongs to " + stream.device() + ", but the weights to " + device);
    }
  }

  static void vector(String operation, String argument, Tensor t, int dtypes, long n) {
    notNull(operation, argument, t);
    dtype(operation, argument, t, dtypes);
    if (t.rank() != 1 || differs(t.shape(0), n)) {
      throw shape(operation, argument, t, n);
    }
  }

  static void matrix(
      String operation, String argument, Tensor t, int dtypes, long rows, long columns) {
    notNull(operation, argument, t);
    dtype(operation, argument, t, dtypes);
    if (t.rank() != 2 || differs(t.shape(0), rows) || differs(t.shape(1), columns)) {
      throw shape(operation, argument, t, rows, columns);
    }
    if (t.shape(1) > 1 && t.stride(1) != 1) {
      throw refuse(
          operation,
          argument,
          argument + " is " + t + "; allowed is stride 1 in the last dimension");
    }
  }

  static void rank4(
      String operation, String argument, Tensor t, int dtypes, long a, long b, long c, long d) {
    notNull(operation, argument, t);
    dtype(operation, argument, t, dtypes);
    if (t.rank() != 4
        || differs(t.shape(0), a)
        || differs(t.shape(1), b)
        || differs(t.shape(2), c)
        || differs(t.shape(3), d)) {
      throw shape(operation, argument, t, a, b, c, d);
    }
    if (t.shape(3) > 1 && t.stride(3) != 1) {
      throw refuse(
          operation,
          argument,
          argument + " is " + t + "; allowed is stride 1 in the last dimension");
    }
  }

  /** An output can be written and, with what the native side checks, does not overlap anything. */
  static void writable(String operation, String argument, Tensor t) {
    if (t.isReadOnly()) {
      throw refuse(operation, argument, argument + " is read-only and cannot be an output");
    }
  }

  /** Scratch of at least bytes bytes; may be null if that is 0. */
  static void scratch(String operation, Tensor scratch, long bytes) {
    if (bytes == 0) {
      return;
    }
    notNull(operation, "scratch", scratch);
    if (scratch.size() < bytes) {
      throw refuse(
          operation,
          "scratch",
          "scratch has " + scratch.size() + " bytes; allowed are " + bytes + " and more");
    }
    writable(operation, "scratch", scratch);
  }

  static void atLeast(String operation, String argument, long value, long least) {
    if (value < least) {
      throw refuse(
          operation, argument, argument + " is " + value + "; allowed are " + least + " and more");
    }
  }

  static void within(String operation, String argument, long value, long least, long most) {
    if (value < least || value > most) {
      throw refuse(
          operation,
          argument,
          argument + " is " + value + "; allowed are " + least + " to " + most);
    }
  }

  private static boolean differs(long found, long wanted) {
    return wanted != ANY && found != wanted;
  }

  private static void dtype(String operation, String argument, Tensor t, int dtypes) {
    if ((dtypes >> t.dtype().ordinal() & 1) == 0) {
      StringBuilder allowed = new StringBuilder();
      for (DType d : DType.values()) {
        if ((dtypes >> d.ordinal() & 1) != 0) {
          allowed.append(allowed.length() == 0 ? "" : ", ").append(d);
        }
      }
      throw refuse(operation, argument, argument + " is " + t.dtype() + "; allowed are " + allowed);
    }
  }

  private static InvalidArgumentException shape(
      String operation, String argument, Tensor t, long... wanted) {
    StringBuilder allowed = new StringBuilder("[");
    for (int i = 0; i < wanted.length; i++) {
      allowed.append(i == 0 ? "" : ", ").append(wanted[i] == ANY ? "any" : wanted[i]);
    }
    return refuse(
        operation,
        argument,
        argument
            + " has shape "
            + Arrays.toString(t.shape())
            + "; allowed is "
            + allowed.append(']'));
  }
}
