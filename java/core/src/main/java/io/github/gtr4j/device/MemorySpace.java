package io.github.gtr4j.device;

/** Where memory lies. */
public enum MemorySpace {
  /** Where the kernels read fastest; on the CPU ordinary memory. */
  DEVICE(0),
  /** Readable by Java; pinned where that helps copies. */
  HOST(1);

  private final int code;

  MemorySpace(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }
}
