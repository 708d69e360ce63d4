package io.github.gtr4j.oracle;

import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** The operations in libtorch's double precision, from its own functions. */
final class Torch {
  private Torch() {}

  /** A double tensor of the values. */
  static Tensor of(float[] values, long... shape) {
    try (FloatPointer pointer = new FloatPointer(values)) {
      return torch.from_blob(pointer, shape).to(torch.ScalarType.Double).clone();
    }
  }

  /** A double tensor of the values, rounded to bfloat16 on the way. */
  static Tensor rounded(float[] values, long... shape) {
    return round(of(values, shape));
  }

  /** The nearest bfloat16 of each element, as double. */
  static Tensor round(Tensor tensor) {
    return tensor
        .to(torch.ScalarType.Float)
        .to(torch.ScalarType.BFloat16)
        .to(torch.ScalarType.Double);
  }

  /** A tensor of indices. */
  static Tensor indices(int... values) {
    long[] wide = new long[values.length];
    for (int i = 0; i < values.length; i++) {
      wide[i] = values[i];
    }
    try (LongPointer pointer = new LongPointer(wide)) {
      return torch
          .from_blob(
              pointer,
              new long[] {values.length},
              new org.bytedeco.pytorch.TensorOptions(torch.ScalarType.Long))
          .clone();
    }
  }

  /** The elements in row-major order. */
  static double[] values(Tensor tensor) {
    Tensor dense = tensor.to(torch.ScalarType.Double).contiguous();
    double[] values = new double[Math.toIntExact(dense.numel())];
    new DoublePointer(dense.data_ptr()).get(values);
    return values;
  }

  /** x Wᵀ + b. */
  static Tensor linear(Tensor x, Tensor weight, Tensor bias) {
    return torch.linear(x, weight, new TensorOptional(bias));
  }

  /** Layer norm over the last dimension; weight and bias may be null. */
  static Tensor layerNorm(Tensor x, Tensor weight, Tensor bias, double epsilon) {
    return torch.layer_norm(
        x,
        new long[] {x.size(x.dim() - 1)},
        weight == null ? new TensorOptional() : new TensorOptional(weight),
        bias == null ? new TensorOptional() : new TensorOptional(bias),
        epsilon,
        false);
  }

  /** x · (1 + scale) + shift. */
  static Tensor modulate(Tensor x, Tensor scale, Tensor shift) {
    return x.mul(scale.add(new Scalar(1.0))).add(shift);
  }

  /**
   * softmax(q kᵀ / √D) v for [B, L, H, D], with the scores of hidden keys at −∞; hidden may be
   * null.
   */
  static Tensor attention(Tensor q, Tensor k, Tensor v, Tensor hidden) {
    Tensor scores =
        q.transpose(1, 2).matmul(k.permute(0, 2, 3, 1)).mul(new Scalar(1 / Math.sqrt(q.size(3))));
    if (hidden != null) {
      scores = scores.masked_fill(hidden, new Scalar(Double.NEGATIVE_INFINITY));
    }
    return torch.softmax(scores, -1).matmul(v.transpose(1, 2)).transpose(1, 2);
  }
}
