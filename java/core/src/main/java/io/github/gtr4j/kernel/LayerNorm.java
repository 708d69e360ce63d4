package io.github.gtr4j.kernel;

import io.github.gtr4j.binding.Call;
import io.github.gtr4j.binding.Gtr;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;

/** Layer norm over the last dimension, with an optional modulation. */
public final class LayerNorm {
  private static final String OPERATION = "layer_norm";

  private LayerNorm() {}

  /**
   * y = (n(x) · weight + bias) · (1 + scale) + shift, n(x) = (x − mean) / √(variance + epsilon).
   *
   * @param stream where it runs
   * @param x [R, W] float
   * @param weight [W] float, or null for 1
   * @param bias [W] float, or null for 0
   * @param scale [R, W] float or bfloat16, row stride 0 broadcasts; null exactly if shift is
   * @param shift as scale
   * @param epsilon above 0
   * @param y [R, W] float or bfloat16, may be the same tensor as x
   */
  public static void run(
      Stream stream,
      Tensor x,
      Tensor weight,
      Tensor bias,
      Tensor scale,
      Tensor shift,
      double epsilon,
      Tensor y) {
    Arguments.notNull(OPERATION, "stream", stream);
    Arguments.matrix(OPERATION, "x", x, Arguments.F32, Arguments.ANY, Arguments.ANY);
    long rows = x.shape(0);
    long width = x.shape(1);
    if (weight != null) {
      Arguments.vector(OPERATION, "weight", weight, Arguments.F32, width);
    }
    if (bias != null) {
      Arguments.vector(OPERATION, "bias", bias, Arguments.F32, width);
    }
    if ((scale == null) != (shift == null)) {
      String missing = scale == null ? "scale" : "shift";
      throw Arguments.refuse(
          OPERATION, missing, missing + " is null; allowed are both or neither of scale and shift");
    }
    if (scale != null) {
      Arguments.matrix(OPERATION, "scale", scale, Arguments.FLOATS, rows, width);
      Arguments.matrix(OPERATION, "shift", shift, Arguments.FLOATS, rows, width);
    }
    if (!(epsilon > 0 && epsilon < Double.POSITIVE_INFINITY)) {
      throw Arguments.refuse(
          OPERATION, "epsilon", "epsilon is " + epsilon + "; allowed are finite numbers above 0");
    }
    Arguments.matrix(OPERATION, "y", y, Arguments.FLOATS, rows, width);
    Arguments.writable(OPERATION, "y", y);
    long start = Timing.start(stream);
    Call call = stream.begin(OPERATION);
    try {
      call.check(
          Gtr.gtr_layer_norm(
              call.stream(),
              call.tensor("x", x),
              call.tensor("weight", weight),
              call.tensor("bias", bias),
              call.tensor("scale", scale),
              call.tensor("shift", shift),
              epsilon,
              call.tensor("y", y)));
    } finally {
      call.end();
    }
    if (Timing.isOn(stream)) {
      long bytes =
          Timing.bytes(x)
              + Timing.bytes(weight)
              + Timing.bytes(bias)
              + Timing.bytes(scale)
              + Timing.bytes(shift)
              + Timing.bytes(y);
      Timing.end(stream, Operation.LAYER_NORM, start, rows, 0, bytes);
    }
  }
}
