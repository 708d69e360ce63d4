package io.github.gtr4j.kernel;

/** Function at the end of a linear operation. */
public enum Activation {
  /** The identity. */
  NONE(0),
  /** x/2 (1 + erf(x/√2)). */
  GELU(1),
  /** x / (1 + exp −x). */
  SILU(2);

  private final int code;

  Activation(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }
}
