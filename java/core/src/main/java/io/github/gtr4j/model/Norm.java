package io.github.gtr4j.model;

import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.LayerNorm;

/** A layer norm with its weights. */
record Norm(Tensor weight, Tensor bias) {
  private static final double EPSILON = 1e-6;

  /** y = norm(x), which may be x itself. */
  void run(Stream stream, Tensor x, Tensor y) {
    LayerNorm.run(stream, x, weight, bias, null, null, EPSILON, y);
  }
}
