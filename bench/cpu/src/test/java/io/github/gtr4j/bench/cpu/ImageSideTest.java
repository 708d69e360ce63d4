package io.github.gtr4j.bench.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.kernel.Precision;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ImageSideTest {
  private static List<String> shell(String script) {
    return List.of("sh", "-c", script);
  }

  @Test
  void aProcessAnswersEveryRequest() {
    String script =
        """
        echo '{"name":"some peer","planned_bytes":7}'
        n=$FIRST
        while read -r line; do
          n=$((n + 1))
          echo "{\\"seconds\\":$n,\\"backbone_seconds\\":0.5,\\"head_seconds\\":0.25,\\"library_seconds\\":0.75,\\"resident_peak_bytes\\":9}"
        done
        """;
    try (ImageSide side = new ImageSide(shell(script), Map.of("FIRST", "0"))) {
      assertEquals(new ImageSide.Ready("some peer", 7), side.ready());
      assertEquals(new ImageTime(1, 0.5, 0.25, 0.75, 9), side.sample());
      assertEquals(2, side.sample().seconds());
    }
  }

  @Test
  void aProcessThatEndsIsNamed() {
    IllegalStateException e =
        assertThrows(IllegalStateException.class, () -> new ImageSide(shell("exit 3"), Map.of()));
    assertTrue(e.getMessage().startsWith("sh -c exit 3"), e.getMessage());
  }

  /** Through Java and from C++, in a process of their own, with a real image. */
  @Test
  void bothWaysToAnImageAreMeasured() {
    ImageCase c = new ImageCase(ModelSize.B, Precision.BF16, 1);
    ImageResult result = new ImageMeasurement(2, 1, 1, null).run(c);
    ImageResult.Side java = result.java();
    assertTrue(java.backboneSeconds() > 0 && java.headSeconds() > 0, java.toString());
    // The parts lie within the whole, up to the rounding of their sum.
    double parts = java.backboneSeconds() + java.headSeconds();
    assertTrue(parts <= java.seconds() * (1 + 1e-12), java.toString());
    // The calls are the same, so even a disturbed machine does not make one ten times the other.
    assertTrue(result.javaOverReplay() > 0.1 && result.javaOverReplay() < 10, result.toString());
    assertTrue(result.javaOverLibrary() > 1 && result.javaOverLibrary() < 2, result.toString());
    // More than what it has to hold, less than two such models.
    assertTrue(result.memoryOverPlan() > 1 && result.memoryOverPlan() < 2, result.toString());
    assertEquals("gtr4j", result.java().name());
    assertEquals("libgtr", result.replay().name());
  }
}
