package io.github.gtr4j.bench.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.kernel.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PyTorchAttentionTest {
  private static final Case CASE =
      new Case("attention", "MAR-B", Precision.BF16, new AttentionWorkload(2, 320, 320, 12, 64));

  @TempDir private Path folder;

  /** A program in Python's place. */
  private String program(String script) throws IOException {
    Path file = folder.resolve("python");
    Files.writeString(file, "#!/bin/sh\n" + script);
    assertTrue(file.toFile().setExecutable(true));
    return file.toString();
  }

  @Test
  void theShapeReachesThePeerAndItsTimesComeBack() throws IOException {
    String python =
        program(
            """
            echo "$*" >"$(dirname "$0")/arguments"
            echo '{"seconds":0.003,"spread":0.0001}'
            """);
    Result result = new PyTorchAttention(python, 3).run(CASE);
    assertEquals(0.003, result.seconds());
    assertEquals(0.0001, result.spread());
    assertEquals(Implementation.PYTORCH, result.implementation());
    assertEquals(
        "bench/peers/torch_attention.py --json --precision bf16 --batch 2 --heads 12"
            + " --tokens 320 --head-width 64 --threads 3\n",
        Files.readString(folder.resolve("arguments")));
  }

  @Test
  void aFailureIsOne() throws IOException {
    PyTorchAttention peer = new PyTorchAttention(program("exit 5\n"), 1);
    IllegalStateException e = assertThrows(IllegalStateException.class, () -> peer.run(CASE));
    assertTrue(e.getMessage().endsWith("exit code 5"), e.getMessage());
  }

  @Test
  void onlySelfAttentionIsCovered() {
    assertTrue(PyTorchAttention.covers(CASE));
    Case other =
        new Case("attention", "MAR-B", Precision.BF16, new AttentionWorkload(2, 5, 320, 12, 64));
    assertFalse(PyTorchAttention.covers(other));
  }
}
