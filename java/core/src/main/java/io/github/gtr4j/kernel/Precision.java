package io.github.gtr4j.kernel;

/** Arithmetic of matrix products. */
public enum Precision {
  /** Float throughout. */
  F32(0),
  /** Both inputs rounded to bfloat16 (nearest even), products accumulated in float. */
  BF16(1);

  private final int code;

  Precision(int code) {
    this.code = code;
  }

  /** Its number in the C ABI, a gtr_precision. */
  public int code() {
    return code;
  }
}
