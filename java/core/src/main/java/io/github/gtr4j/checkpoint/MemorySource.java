package io.github.gtr4j.checkpoint;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Bytes in memory. */
final class MemorySource implements CheckpointSource {
  private final String name;
  private final byte[] bytes;

  MemorySource(String name, byte[] bytes) {
    this.name = name;
    this.bytes = bytes;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long size() {
    return bytes.length;
  }

  @Override
  public void read(long position, ByteBuffer target) throws IOException {
    if (position > bytes.length - target.remaining()) {
      throw new EOFException("the data ends at byte " + bytes.length);
    }
    target.put(bytes, (int) position, target.remaining());
  }

  @Override
  public void close() {
    // Nothing to give back.
  }
}
