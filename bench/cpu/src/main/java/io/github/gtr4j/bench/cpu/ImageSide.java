package io.github.gtr4j.bench.cpu;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A process that samples a batch of images whenever it is asked to: {@link ImageServer}, or a peer
 * that speaks as it does.
 */
final class ImageSide implements AutoCloseable {
  /** The request that {@link #replay} makes. */
  static final String REPLAY = "replay";

  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * What a process says when it has sampled once.
   *
   * @param name whose
   * @param plannedBytes of weights, activations and scratch; 0 if there is no plan
   */
  record Ready(
      @JsonProperty("name") String name, @JsonProperty("planned_bytes") long plannedBytes) {}

  private final List<String> command;
  private final Process process;
  private final BufferedReader answers;
  private final Writer requests;
  private final Ready ready;

  /**
   * Starts it, and waits until it is warm.
   *
   * @param environment what it has of it beside ours
   * @throws IllegalStateException if it ends instead
   */
  ImageSide(List<String> command, Map<String, String> environment) {
    this.command = command;
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().putAll(environment);
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    answers = process.inputReader();
    requests = process.outputWriter();
    try {
      ready = answer(Ready.class);
    } catch (Throwable e) {
      process.destroy();
      throw e;
    }
  }

  Ready ready() {
    return ready;
  }

  /** Has it sample the batch once. */
  ImageTime sample() {
    return ask("sample");
  }

  /** Has an {@link ImageServer} make the calls of a batch from C++. */
  ImageTime replay() {
    return ask(REPLAY);
  }

  private ImageTime ask(String request) {
    try {
      requests.write(request + "\n");
      requests.flush();
    } catch (IOException e) {
      throw new IllegalStateException(String.join(" ", command), e);
    }
    return answer(ImageTime.class);
  }

  private <T> T answer(Class<T> type) {
    try {
      String line = answers.readLine();
      if (line == null) {
        throw new IllegalStateException(String.join(" ", command) + ": it ended");
      }
      return JSON.readValue(line, type);
    } catch (IOException e) {
      throw new IllegalStateException(String.join(" ", command), e);
    }
  }

  /** Ends it, and waits for that. */
  @Override
  public void close() {
    try {
      requests.close();
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (IOException e) {
      process.destroyForcibly();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
