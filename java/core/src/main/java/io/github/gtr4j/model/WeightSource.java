package io.github.gtr4j.model;

import io.github.gtr4j.device.Tensor;

/** Where a model's weights come from: a checkpoint, or a random generator. */
interface WeightSource {
  /** Rows of a matrix. */
  @FunctionalInterface
  interface Rows {
    /**
     * Takes some rows.
     *
     * @param firstRow index of the first of them
     * @param rows host memory [n, width] of F32, F16 or BF16, valid until the call returns
     */
    void accept(int firstRow, Tensor rows);
  }

  /** All rows of a matrix, some at a time, in order. */
  void matrix(MarTensors.Entry entry, Rows rows);

  /** All values of a small tensor, widened to float. */
  float[] values(MarTensors.Entry entry);
}
