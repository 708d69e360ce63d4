package io.github.gtr4j.device;

/** What computes. */
public enum Backend {
  /** The best backend that works here; {@link DeviceInfo#reason()} says which and why. */
  AUTO(0),
  /** The processor. */
  CPU(1),
  /** An NVIDIA GPU. */
  CUDA(2);

  private final int code;

  Backend(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }

  static Backend of(int code) {
    return values()[code];
  }
}
