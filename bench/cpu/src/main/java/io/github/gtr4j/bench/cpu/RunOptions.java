package io.github.gtr4j.bench.cpu;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** What every command line has. */
final class RunOptions {
  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that work on a call, of each side; by default as many as there are.")
  int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--python",
      paramLabel = "PROGRAM",
      description =
          "A Python that has PyTorch, the peer of whole images and a second one of attention;"
              + " without it there is none.")
  String python;

  @Option(
      names = "--out",
      paramLabel = "PREFIX",
      description = "Also write the report to PREFIX.md and PREFIX.json.")
  private Path out;

  /** Prints a report, and writes it where it was asked for. */
  void write(String markdown, String json) throws IOException {
    new PrintStream(System.out, true, StandardCharsets.UTF_8).print(markdown);
    if (out != null) {
      Files.writeString(Path.of(out + ".md"), markdown);
      Files.writeString(Path.of(out + ".json"), json);
    }
  }

  /** Of a report's components, indented. */
  static String json(Record report) {
    try {
      return new ObjectMapper()
              .enable(SerializationFeature.INDENT_OUTPUT)
              .writeValueAsString(report)
          + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
