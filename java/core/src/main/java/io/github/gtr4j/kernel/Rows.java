package io.github.gtr4j.kernel;

import io.github.gtr4j.binding.Call;
import io.github.gtr4j.binding.Gtr;
import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;

/** Token bookkeeping on the device: rows are looked up, gathered and scattered by index. */
public final class Rows {
  private Rows() {}

  /**
   * y[r] = source(index[r]) + position[positionIndex[r]], with source(i) = first[i] for i ≥ 0 and
   * second[−1 − i] for i &lt; 0.
   *
   * @param stream where it runs
   * @param first [N1, W] float
   * @param second [N2, W] float, or null
   * @param index I32 [R]; the CPU refuses an index out of range
   * @param position [P, W] float, or null for no term
   * @param positionIndex I32 [R], null exactly if position is
   * @param y [R, W] float
   */
  public static void embed(
      Stream stream,
      Tensor first,
      Tensor second,
      Tensor index,
      Tensor position,
      Tensor positionIndex,
      Tensor y) {
    String operation = "embed";
    Arguments.notNull(operation, "stream", stream);
    Arguments.matrix(operation, "first", first, Arguments.F32, Arguments.ANY, Arguments.ANY);
    long width = first.shape(1);
    if (second != null) {
      Arguments.matrix(operation, "second", second, Arguments.F32, Arguments.ANY, width);
    }
    Arguments.vector(operation, "index", index, Arguments.I32, Arguments.ANY);
    long rows = index.shape(0);
    if ((position == null) != (positionIndex == null)) {
      String missing = position == null ? "position" : "position_index";
      throw Arguments.refuse(
          operation,
          missing,
          missing + " is null; allowed are both or neither of position and position_index");
    }
    if (position != null) {
      Arguments.matrix(operation, "position", position, Arguments.F32, Arguments.ANY, width);
      Arguments.vector(operation, "position_index", positionIndex, Arguments.I32, rows);
    }
    Arguments.matrix(operation, "y", y, Arguments.F32, rows, width);
    Arguments.writable(operation, "y", y);
    long start = Timing.start(stream);
    Call call = stream.begin(operation);
    try {
      call.check(
          Gtr.gtr_embed(
              call.stream(),
              call.tensor("first", first),
              call.tensor("second", second),
              call.tensor("index", index),
              call.tensor("position", position),
              call.tensor("position_index", positionIndex),
              call.tensor("y", y)));
    } finally {
      call.end();
    }
    if (Timing.isOn(stream)) {
      long terms = position == null ? 2 : 3;
      Timing.end(stream, Operation.EMBED, start, rows, 0, terms * Timing.bytes(y));
    }
  }

  /**
   * y[r] = x[index[r]].
   *
   * @param stream where it runs
   * @param x [N, W] float or bfloat16
   * @param index I32 [R]; the CPU refuses an index out of range
   * @param y [R, W] of the same type as x
   */
  public static void gather(Stream stream, Tensor x, Tensor index, Tensor y) {
    String operation = "gather";
    Arguments.notNull(operation, "stream", stream);
    Arguments.matrix(operation, "x", x, Arguments.FLOATS, Arguments.ANY, Arguments.ANY);
    Arguments.vector(operation, "index", index, Arguments.I32, Arguments.ANY);
    long rows = index.shape(0);
    Arguments.matrix(operation, "y", y, only(x.dtype()), rows, x.shape(1));
    Arguments.writable(operation, "y", y);
    long start = Timing.start(stream);
    Call call = stream.begin(operation);
    try {
      call.check(
          Gtr.gtr_gather(
              call.stream(),
              call.tensor("x", x),
              call.tensor("index", index),
              call.tensor("y", y)));
    } finally {
      call.end();
    }
    if (Timing.isOn(stream)) {
      Timing.end(stream, Operation.GATHER, start, rows, 0, 2 * Timing.bytes(y));
    }
  }

  /**
   * y[index[r]] = x[r]; other rows of y keep their values.
   *
   * @param stream where it runs
   * @param x [R, W] float or bfloat16
   * @param index I32 [R], distinct; the CPU refuses an index out of range
   * @param y [N, W] of the same type as x
   */
  public static void scatter(Stream stream, Tensor x, Tensor index, Tensor y) {
    String operation = "scatter";
    Arguments.notNull(operation, "stream", stream);
    Arguments.matrix(operation, "x", x, Arguments.FLOATS, Arguments.ANY, Arguments.ANY);
    long rows = x.shape(0);
    Arguments.vector(operation, "index", index, Arguments.I32, rows);
    Arguments.matrix(operation, "y", y, only(x.dtype()), Arguments.ANY, x.shape(1));
    Arguments.writable(operation, "y", y);
    long start = Timing.start(stream);
    Call call = stream.begin(operation);
    try {
      call.check(
          Gtr.gtr_scatter(
              call.stream(),
              call.tensor("x", x),
              call.tensor("index", index),
              call.tensor("y", y)));
    } finally {
      call.end();
    }
    if (Timing.isOn(stream)) {
      Timing.end(stream, Operation.SCATTER, start, rows, 0, 2 * Timing.bytes(x));
    }
  }

  private static int only(DType dtype) {
    return 1 << dtype.ordinal();
  }
}
