package io.github.gtr4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  @TempDir Path folder;

  private static AtomicFile.Content bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return channel -> channel.write(ByteBuffer.wrap(bytes));
  }

  private List<Path> files() throws IOException {
    try (var files = Files.list(folder)) {
      return files.toList();
    }
  }

  @Test
  void makesAndReplacesFiles() throws IOException {
    Path target = folder.resolve("a");
    AtomicFile.write(target, bytes(1, 2, 3));
    AtomicFile.write(target, bytes(4));
    assertArrayEquals(new byte[] {4}, Files.readAllBytes(target));
    assertEquals(List.of(target), files());
  }

  @Test
  void failureKeepsTheOldContent() throws IOException {
    Path target = folder.resolve("a");
    AtomicFile.write(target, bytes(1));
    IOException e =
        assertThrows(
            IOException.class,
            () ->
                AtomicFile.write(
                    target,
                    channel -> {
                      channel.write(ByteBuffer.wrap(new byte[] {9, 9}));
                      throw new IOException("disk full");
                    }));
    assertEquals(target + ": cannot be written: disk full", e.getMessage());
    assertArrayEquals(new byte[] {1}, Files.readAllBytes(target));
    assertEquals(List.of(target), files());
  }

  @Test
  void unexpectedFailureLeavesNoTemporaryFile() throws IOException {
    assertThrows(
        IllegalStateException.class,
        () ->
            AtomicFile.write(
                folder.resolve("a"),
                channel -> {
                  throw new IllegalStateException();
                }));
    assertEquals(List.of(), files());
  }

  /** Ends the JVM in the middle of writing the file that a system property names. */
  public static final class EndWhileWriting {
    public static void main(String[] args) throws IOException {
      AtomicFile.write(
          Path.of(System.getProperty("target")),
          channel -> {
            channel.write(ByteBuffer.wrap(new byte[] {1}));
            System.exit(3);
          });
    }
  }

  @Test
  void endOfTheJvmLeavesNoTemporaryFile() throws Exception {
    ForkedJvm.Result result =
        ForkedJvm.run(EndWhileWriting.class, List.of("-Dtarget=" + folder.resolve("a")));
    assertEquals(3, result.exitCode(), result.toString());
    assertEquals("", result.err());
    assertEquals(List.of(), files());
  }

  @Test
  void namesThatAreTooLongAreFoundBeforeTheWork() throws IOException {
    Path longest = folder.resolve("a".repeat(255));
    AtomicFile.checkWritable(longest);
    AtomicFile.write(longest, bytes(1));
    assertEquals(List.of(longest), files());
    Path tooLong = folder.resolve("a".repeat(256));
    IOException e = assertThrows(IOException.class, () -> AtomicFile.checkWritable(tooLong));
    assertEquals(tooLong + ": cannot be written: File name too long", e.getMessage());
  }

  @Test
  void namesOfOneFileAreResolvedToOnePath() throws IOException {
    Path real = Files.createDirectory(folder.resolve("real"));
    Path link = Files.createSymbolicLink(folder.resolve("link"), real);
    assertEquals(AtomicFile.resolve(real.resolve("a")), AtomicFile.resolve(link.resolve("a")));
    Path file = Files.createFile(real.resolve("b"));
    Path other = Files.createSymbolicLink(folder.resolve("other"), file);
    assertEquals(AtomicFile.resolve(file), AtomicFile.resolve(other));
  }

  @Test
  void linkStaysALink() throws IOException {
    Path target = Files.write(folder.resolve("target"), new byte[] {1});
    Path link = Files.createSymbolicLink(folder.resolve("link"), target);
    AtomicFile.write(link, bytes(2));
    assertTrue(Files.isSymbolicLink(link));
    assertArrayEquals(new byte[] {2}, Files.readAllBytes(target));
  }

  @Test
  void directoriesAndDevicesAreNotReplaced() {
    IOException directory =
        assertThrows(IOException.class, () -> AtomicFile.write(folder, bytes(1)));
    assertEquals(folder + ": cannot be written: it is a directory", directory.getMessage());
    IOException device =
        assertThrows(IOException.class, () -> AtomicFile.write(Path.of("/dev/null"), bytes(1)));
    assertEquals("/dev/null: cannot be written: it is not a regular file", device.getMessage());
    Path absent = folder.resolve("absent");
    IOException missing =
        assertThrows(IOException.class, () -> AtomicFile.checkWritable(absent.resolve("file")));
    assertEquals(
        absent.resolve("file") + ": cannot be written: the directory " + absent + " does not exist",
        missing.getMessage());
  }
}
