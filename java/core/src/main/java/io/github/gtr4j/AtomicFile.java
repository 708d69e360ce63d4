package io.github.gtr4j;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
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
    Path file = resolve(target);
    Path temporary = temporaryBeside(file);
    try (DeletionAtExit deletion = new DeletionAtExit(temporary)) {
      try (FileChannel channel =
          FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        content.writeTo(channel);
        channel.force(true);
      }
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new IOException(target + ": cannot be written: " + describe(e), e);
    }
  }

  /**
   * The file that a name stands for: links are followed, and what remains after them is absolute.
   * Two names of one file, which need not exist yet, give equal paths.
   *
   * @throws IOException if its directory does not exist
   */
  public static Path resolve(Path target) throws IOException {
    if (Files.exists(target)) {
      return target.toRealPath();
    }
    Path file = target.toAbsolutePath();
    return file.getParent().toRealPath().resolve(file.getFileName());
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
    try {
      // Names that are too long, and file systems that refuse files, only show when tried.
      requireUsableName(target);
      Files.delete(Files.createFile(temporaryBeside(resolve(target))));
    } catch (IOException e) {
      throw new IOException(target + ": cannot be written: " + describe(e), e);
    }
  }

  private static void requireUsableName(Path target) throws IOException {
    try {
      Files.readAttributes(target, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    } catch (NoSuchFileException e) {
      // A new file.
    }
  }

  /** A new name; not the target's with an ending, which could be too long. */
  private static Path temporaryBeside(Path file) {
    return file.resolveSibling(
        ".gtr4j-" + Long.toHexString(ThreadLocalRandom.current().nextLong()) + ".tmp");
  }

  /** Deletes a file when it is closed, or when the JVM is ended before that, as by Ctrl+C. */
  private static final class DeletionAtExit implements AutoCloseable {
    private final Path file;
    private final Thread hook;

    DeletionAtExit(Path file) throws IOException {
      this.file = file;
      hook = new Thread(this::delete, "gtr4j-delete-temporary-file");
      try {
        Runtime.getRuntime().addShutdownHook(hook);
      } catch (IllegalStateException e) {
        throw new IOException("the JVM is ending", e);
      }
    }

    @Override
    public void close() {
      delete();
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // The JVM is ending, and the hook finds nothing to delete.
      }
    }

    private void delete() {
      try {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        // It cannot be deleted; what went wrong before that is what the caller must hear.
      }
    }
  }

  private static String describe(IOException e) {
    if (e instanceof NoSuchFileException) {
      return "its directory does not exist";
    }
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof FileSystemException fileSystem && fileSystem.getReason() != null) {
      return fileSystem.getReason();
    }
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }
}
