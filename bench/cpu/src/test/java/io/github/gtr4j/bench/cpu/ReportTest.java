package io.github.gtr4j.bench.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.gtr4j.kernel.Precision;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReportTest {
  private static final Report REPORT =
      new Report(
          "bench/cpu.sh --quick",
          new Machine("Some CPU", 2, "avx512bf16", 2, "JVM 17", "libtorch 2", "2026-11-27", "abc"),
          List.of(
              new Comparison(
                  result("linear", Implementation.GTR4J, 2e-3, 1e-4, 1.2e9, 5e6),
                  result("linear", Implementation.LIBTORCH, 4e-3, 2e-4, 1.2e9, 5e6),
                  result("linear", Implementation.PYTORCH, 5e-3, 3e-4, 1.2e9, 5e6),
                  PeaksTest.of(200e9, 800e9, 50e9),
                  1.8e-3),
              new Comparison(result("gather", Implementation.GTR4J, 12.34e-6, 1e-6, 0, 0), null)),
          List.of(new Goal("linear", "at least 85% of peak", "75%", Goal.Outcome.NOT_MET)));

  private static Result result(
      String operation,
      Implementation implementation,
      double seconds,
      double spread,
      double flops,
      double bytes) {
    return new Result(
        operation, "MAR-B", Precision.BF16, implementation, seconds, spread, flops, bytes, 0.04);
  }

  @Test
  void markdown() {
    assertEquals(
        """
        # The CPU's operations beside libtorch's

        Made with

        ```
        bench/cpu.sh --quick
        ```

        | | |
        |---|---|
        | processor | Some CPU, 2 cores |
        | instructions | avx512bf16 |
        | threads, each side | 2 |
        | JVM | JVM 17 |
        | peer | libtorch 2 |
        | date, commit | 2026-11-27, abc |
        | median peaks | f32 200 GFLOP/s, bf16 800 GFLOP/s, from the second-level cache 800 GFLOP/s, beside a softmax 800 (64) and 800 GFLOP/s (80), reading 50.0 GB/s, 3.5 MB again 1000000.0 GB/s, 25 MB again 1000000.0 GB/s |

        ## Goals

        | what | goal | measured | |
        |---|---|---|---|
        | linear | at least 85% of peak | 75% | not met |

        ## Cases

        Times are medians of single calls, ± half the distance between the quartiles; the ratio is our time over libtorch's.
        PyTorch is Python's, whose build is another, by bench/peers/torch_attention.py. GFLOP/s, GB/s and shares are ours:
        FLOPs as executed, bytes of weights that come from memory. The roofline is the longest of what an operation cannot
        do without, at the peaks, which were measured before and after each case: products (linear and head: of operands
        in the second-level cache; attention: of keys and values there, beside its softmax) and weights from where they can
        lie. B/op is what a call of ours allocates on the Java heap, with what JMH allocates per iteration.

        | operation | | case | gtr4j | libtorch | ratio | PyTorch | GFLOP/s | of peak | GB/s | of bandwidth | of roofline | B/op |
        |---|---|---|---|---|---|---|---|---|---|---|---|---|
        | linear | bf16 | MAR-B | 2.00 ± 0.10 ms | 4.00 ± 0.20 ms | 0.50 | 5.00 ± 0.30 ms | 600 | 75% | 2.5 | 5% | 90% | 0.0 |
        | gather | bf16 | MAR-B | 12.3 ± 1.0 µs |  |  |  |  |  |  |  |  | 0.0 |
        """,
        REPORT.markdown());
  }

  @Test
  void json() throws Exception {
    JsonNode root = new ObjectMapper().readTree(REPORT.json());
    assertEquals(2e-3, root.at("/comparisons/0/ours/seconds").asDouble());
    assertEquals("LIBTORCH", root.at("/comparisons/0/peer/implementation").asText());
    assertEquals("NOT_MET", root.at("/goals/0/outcome").asText());
    assertEquals(50e9, root.at("/comparisons/0/peaks/readBytes").asDouble());
  }
}
