package io.github.gtr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command as a process of its own: exit codes, and which stream says what. */
class ForkedLaunchTest {
  @TempDir Path folder;

  private ProcessBuilder process(List<String> jvmOptions, String... args) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(jvmOptions);
    if (Runtime.version().feature() >= 22) {
      // What the manifest of the jar says.
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    command.add("-cp");
    command.add(
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    command.add(Main.class.getName());
    command.addAll(List.of(args));
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    builder.environment().remove("JAVA_TOOL_OPTIONS");
    return builder;
  }

  private CommandRun launch(List<String> jvmOptions, String... args)
      throws IOException, InterruptedException {
    Path out = folder.resolve("stdout");
    Path err = folder.resolve("stderr");
    int exitCode =
        process(jvmOptions, args)
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start()
            .waitFor();
    CommandRun run =
        new CommandRun(
            exitCode,
            Files.readString(out, StandardCharsets.UTF_8),
            Files.readString(err, StandardCharsets.UTF_8));
    Files.delete(out);
    Files.delete(err);
    return run;
  }

  private List<Path> files() throws IOException {
    try (var files = Files.list(folder)) {
      return files.map(Path::getFileName).toList();
    }
  }

  @Test
  void version() throws IOException, InterruptedException {
    CommandRun run = launch(List.of(), "--version");
    assertEquals(new CommandRun(0, "gtr4j " + Version.TEXT + "\n", ""), run);
  }

  @Test
  void versionThatCannotBeWritten() throws IOException, InterruptedException {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.isWritable(full), "a device that is always full");
    Path err = folder.resolve("stderr");
    int exitCode =
        process(List.of(), "--version")
            .redirectOutput(full.toFile())
            .redirectError(err.toFile())
            .start()
            .waitFor();
    assertEquals("gtr: standard output cannot be written\n", Files.readString(err));
    assertEquals(1, exitCode);
  }

  @Test
  void goodRunInASmallHeapSaysNothingOnStderr() throws IOException, InterruptedException {
    CommandRun run = launch(List.of("-Xmx128m"), "sample", "--class", "bag", "--steps", "1,1");
    assertEquals("", run.err());
    assertEquals(0, run.exitCode());
    assertTrue(run.out().contains("picture: gtr.png"), run.out());
    assertEquals(List.of(Path.of("gtr.png")), files());
  }

  @Test
  void badInput() throws IOException, InterruptedException {
    CommandRun run = launch(List.of(), "sample", "--cfg", "-1");
    assertEquals(
        new CommandRun(2, "", "gtr: --cfg: '-1'; allowed are finite numbers from 0 on\n"), run);
    assertEquals(List.of(), files());
  }

  @Test
  void failureAtRunTime() throws IOException, InterruptedException {
    CommandRun run =
        launch(
            List.of("-Dgtr4j.library.path=" + folder.resolve("absent")), "sample", "--labels", "1");
    assertEquals(1, run.exitCode());
    assertEquals(1, run.errorLines().size(), run.err());
    assertTrue(run.err().contains("gtr4j.library.path"), run.err());
    assertEquals("", run.out());
    assertEquals(List.of(), files());
  }

  @Test
  void endedWhileSamplingLeavesNoFile() throws IOException, InterruptedException {
    Process process =
        process(List.of(), "sample", "--count", "300", "--latents", "l")
            .redirectErrorStream(true)
            .start();
    try (BufferedReader lines = process.inputReader()) {
      assertTrue(lines.readLine().startsWith("memory: "));
      assertTrue(lines.readLine().startsWith("sampling: "));
      process.destroy();
      assertEquals(128 + 15, process.waitFor());
      assertEquals(List.of(), files());
    } finally {
      process.destroyForcibly();
    }
  }
}
