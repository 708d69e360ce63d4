package io.github.gtr4j;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Runs a main class in a JVM of its own, for what a JVM does once: load natives, run out of heap,
 * warn.
 */
public final class ForkedJvm {
  /** What the JVM did. */
  public record Result(int exitCode, String out, String err) {}

  private ForkedJvm() {}

  /** Runs main with JVM options on the class path of the tests. */
  public static Result run(Class<?> main, List<String> options, String... arguments)
      throws IOException, InterruptedException {
    return run(List.of(), classPath(), main, options, arguments);
  }

  /** As above with a class path of its own. */
  public static Result run(
      String classPath, Class<?> main, List<String> options, String... arguments)
      throws IOException, InterruptedException {
    return run(List.of(), classPath, main, options, arguments);
  }

  /** As above, started by another command, which gets the JVM's command as its last arguments. */
  public static Result run(
      List<String> starter,
      String classPath,
      Class<?> main,
      List<String> options,
      String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(starter);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    if (Runtime.version().feature() >= 22) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    command.add("-cp");
    command.add(classPath);
    command.add(main.getName());
    command.addAll(List.of(arguments));
    Path out = Files.createTempFile("forked", ".out");
    Path err = Files.createTempFile("forked", ".err");
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectOutput(out.toFile())
              .redirectError(err.toFile())
              .start();
      if (!process.waitFor(120, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
        throw new IOException("the forked JVM did not end: " + Files.readString(err));
      }
      return new Result(
          process.exitValue(),
          Files.readString(out, StandardCharsets.UTF_8),
          Files.readString(err, StandardCharsets.UTF_8));
    } finally {
      Files.delete(out);
      Files.delete(err);
    }
  }

  /** The class path of the tests. */
  public static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }

  /** The class path of the tests less the entries that contain a text. */
  public static String classPathWithout(String text) {
    List<String> kept = new ArrayList<>();
    for (String entry : classPath().split(File.pathSeparator)) {
      if (!entry.contains(text)) {
        kept.add(entry);
      }
    }
    return String.join(File.pathSeparator, kept);
  }
}
