package io.github.gtr4j.bench.cpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Attention of Python's PyTorch, by bench/peers/torch_attention.py: libtorch's preset is built
 * without its fast products.
 *
 * @param python a program that has PyTorch
 * @param threads that work on a call
 */
record PyTorchAttention(String python, int threads) {
  private static final Path PEER = Path.of("bench", "peers", "torch_attention.py");

  /** Whether it has such a shape: as many queries as keys. */
  static boolean covers(Case c) {
    return c.workload() instanceof AttentionWorkload attention
        && attention.queries() == attention.keys();
  }

  /**
   * Measures it.
   *
   * @throws IllegalStateException if the program fails
   */
  Result run(Case c) {
    AttentionWorkload attention = (AttentionWorkload) c.workload();
    ProcessBuilder command =
        new ProcessBuilder(
            python,
            PEER.toString(),
            "--json",
            "--precision",
            c.precision().name().toLowerCase(Locale.ROOT),
            "--batch",
            String.valueOf(attention.sequences()),
            "--heads",
            String.valueOf(attention.heads()),
            "--tokens",
            String.valueOf(attention.queries()),
            "--head-width",
            String.valueOf(attention.headDim()),
            "--threads",
            String.valueOf(threads));
    try {
      Process process = command.redirectError(ProcessBuilder.Redirect.INHERIT).start();
      byte[] output = process.getInputStream().readAllBytes();
      int code = process.waitFor();
      if (code != 0) {
        throw new IllegalStateException(
            String.join(" ", command.command()) + ": exit code " + code);
      }
      JsonNode result = new ObjectMapper().readTree(output);
      return new Result(
          c.operation(),
          c.shape(),
          c.precision(),
          Implementation.PYTORCH,
          result.required("seconds").asDouble(),
          result.required("spread").asDouble(),
          c.workload().flops(),
          0,
          Double.NaN);
    } catch (IOException e) {
      throw new IllegalStateException(String.join(" ", command.command()), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
