package io.github.gtr4j;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Writes files so that their readers never see a part of one: into a temporary name beside the
 * target, then a move onto it. A failure leaves the target as it was and no temporary file.
 */
public final class AtomicFile {
  private AtomicFile() {}

  /** Writes the content of a file to a channel. */
  @FunctionalInterface
  public interface Content {
    /** Writes everything. */
    void writeTo(FileChannel channel) throws IOException;
  }

  /**
   * Writes a file.
   *
   * @param target a regular file, which is replaced, or a name that does not exist in a directory
   *     that does
   * @param content called once
   * @throws IOException if it cannot be written; the message begins with the target's name
   */
  public static void write(Path target, Content content) throws IOException {
    checkWritable(target);
    // A link stays one: what it points to is replaced.
    Path file = Files.exists(target) ? target.toRealPath() : target.toAbsolutePath();
    Path temporary =
        file.resolveSibling(
            "."
                + file.getFileName()
                + "."
                + Long.toHexString(ThreadLocalRandom.current().nextLong())
                + ".tmp");
    try {
      try (FileChannel channel =
          FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        content.writeTo(channel);
        channel.force(true);
      }
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new IOException(target + ": cannot be written: " + describe(e), e);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /**
   * Checks what can be checked before the work that makes the content.
   *
   * @throws IOException if writing to the target would fail; the message begins with its name
   */
  public static void checkWritable(Path target) throws IOException {
    if (Files.isDirectory(target)) {
      throw new IOException(target + ": cannot be written: it is a directory");
    }
    if (Files.exists(target) && !Files.isRegularFile(target)) {
      throw new IOException(target + ": cannot be written: it is not a regular file");
    }
    Path directory =
        (Files.exists(target) ? target.toRealPath() : target.toAbsolutePath()).getParent();
    if (directory == null || !Files.isDirectory(directory)) {
      throw new IOException(
          target + ": cannot be written: the directory " + directory + " does not exist");
    }
    if (!Files.isWritable(directory)) {
      throw new IOException(
          target + ": cannot be written: no permission to write in the directory " + directory);
    }
  }

  private static String describe(IOException e) {
    if (e instanceof NoSuchFileException) {
      return "its directory does not exist";
    }
    if (e instanceof FileSystemException fileSystem && fileSystem.getReason() != null) {
      return fileSystem.getReason();
    }
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }
}
