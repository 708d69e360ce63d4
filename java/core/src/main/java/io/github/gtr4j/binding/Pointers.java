package io.github.gtr4j.binding;

import org.bytedeco.javacpp.Pointer;

/** JavaCPP pointers of other libraries. */
public final class Pointers {
  private Pointers() {}

  /** The address that a pointer points at, from its position on; 0 for a null pointer. */
  public static long address(Pointer pointer) {
    if (pointer.isNull() || pointer.position() == 0) {
      // An opaque type, such as CUstream_st, has no size to ask for.
      return pointer.address();
    }
    return pointer.address() + pointer.position() * pointer.sizeof();
  }
}
