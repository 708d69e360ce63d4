package io.github.gtr4j.binding;

import org.bytedeco.javacpp.Pointer;

/**
 * A raw address as a JavaCPP pointer that owns nothing: it has no deallocator, so JavaCPP's
 * accounting of native memory, which fails JVMs with a small heap, does not see it.
 */
public final class Address extends Pointer {
  /** A view of bytes bytes at address. */
  public Address(long address, long bytes) {
    super((Pointer) null);
    this.address = address;
    this.limit = bytes;
    this.capacity = bytes;
  }

  @Override
  public int sizeof() {
    return 1;
  }
}
