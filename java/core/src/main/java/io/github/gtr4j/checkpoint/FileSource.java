package io.github.gtr4j.checkpoint;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** A file, read through its channel. */
record FileSource(String name, FileChannel channel) implements CheckpointSource {
  @Override
  public long size() throws IOException {
    return channel.size();
  }

  @Override
  public void read(long position, ByteBuffer target) throws IOException {
    long place = position;
    while (target.hasRemaining()) {
      int count = channel.read(target, place);
      if (count < 0) {
        throw new EOFException("the file ends at byte " + channel.size());
      }
      place += count;
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
