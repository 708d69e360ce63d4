package io.github.gtr4j.checkpoint;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;

/** Bytes that can be read at any place: a file, or a resource of the class path. */
public interface CheckpointSource extends Closeable {
  /** Name for messages. */
  String name();

  /** Number of bytes. */
  long size() throws IOException;

  /**
   * Fills a buffer from a place on.
   *
   * @throws EOFException if the source ends before the buffer is full
   */
  void read(long position, ByteBuffer target) throws IOException;

  /**
   * A file.
   *
   * @throws CheckpointException if it cannot be opened
   */
  static CheckpointSource of(Path path) {
    String name = path.toString();
    try {
      if (Files.isDirectory(path)) {
        throw new CheckpointException(name, "", "is a directory, not a checkpoint file", null);
      }
      return new FileSource(name, FileChannel.open(path, StandardOpenOption.READ));
    } catch (NoSuchFileException e) {
      throw new CheckpointException(name, "", "no such file", e);
    } catch (IOException e) {
      throw new CheckpointException(name, "", "cannot be opened: " + IoMessages.reason(e), e);
    }
  }

  /**
   * A resource beside a class, which is held in memory.
   *
   * @throws CheckpointException if there is none of this name
   */
  static CheckpointSource ofResource(Class<?> neighbour, String resource) {
    Objects.requireNonNull(neighbour, "neighbour");
    try (InputStream stream = neighbour.getResourceAsStream(resource)) {
      if (stream == null) {
        throw new CheckpointException(resource, "", "no such resource", null);
      }
      return ofBytes(resource, stream.readAllBytes());
    } catch (IOException e) {
      throw new CheckpointException(resource, "", "cannot be read: " + IoMessages.reason(e), e);
    }
  }

  /** Bytes in memory, which are not copied. */
  static CheckpointSource ofBytes(String name, byte[] bytes) {
    return new MemorySource(name, bytes);
  }
}
