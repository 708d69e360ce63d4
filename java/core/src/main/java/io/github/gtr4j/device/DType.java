package io.github.gtr4j.device;

/** Type of a tensor's elements. */
public enum DType {
  /** 32-bit float. */
  F32(0, 4),
  /** 16-bit float; only as weights that are packed. */
  F16(1, 2),
  /** bfloat16. */
  BF16(2, 2),
  /** Signed 32-bit integer. */
  I32(3, 4),
  /** Unsigned 32-bit integer. */
  U32(4, 4),
  /** Unsigned 64-bit integer. */
  U64(5, 8),
  /** Unsigned byte. */
  U8(6, 1);

  private final int code;
  private final int bytes;

  DType(int code, int bytes) {
    this.code = code;
    this.bytes = bytes;
  }

  /** The value in the C ABI. */
  int code() {
    return code;
  }

  /** Size of an element. */
  public int bytes() {
    return bytes;
  }
}
