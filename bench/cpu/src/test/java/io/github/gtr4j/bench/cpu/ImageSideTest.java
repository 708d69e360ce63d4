package io.github.gtr4j.bench.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.kernel.Precision;
import java.util.List;
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
        n=0
        while read -r line; do
          n=$((n + 1))
          echo "{\\"seconds\\":$n,\\"backbone_seconds\\":0.5,\\"head_seconds\\":0.25,\\"resident_peak_bytes\\":9}"
        done
        """;
    try (ImageSide side = new ImageSide(shell(script))) {
      assertEquals(new ImageSide.Ready("some peer", 7), side.ready());
      assertEquals(new ImageTime(1, 0.5, 0.25, 9), side.run());
      assertEquals(2, side.run().seconds());
    }
  }

  @Test
  void aProcessThatEndsIsNamed() {
    IllegalStateException e =
        assertThrows(IllegalStateException.class, () -> new ImageSide(shell("exit 3")));
    assertTrue(e.getMessage().startsWith("sh -c exit 3"), e.getMessage());
  }

  /** Both of our sides, in processes of their own, with one real image each. */
  @Test
  void bothWaysToAnImageAreMeasured() {
    ImageCase c = new ImageCase(ModelSize.B, Precision.BF16, 1);
    ImageResult result = new ImageMeasurement(2, 1, 1, null).run(c);
    for (ImageResult.Side side : List.of(result.java(), result.natively())) {
      assertTrue(side.backboneSeconds() > 0 && side.headSeconds() > 0, side.toString());
      // The parts lie within the whole, up to the rounding of their sum.
      double parts = side.backboneSeconds() + side.headSeconds();
      assertTrue(parts <= side.seconds() * (1 + 1e-12), side.toString());
    }
    // More than what it has to hold, less than two such models.
    assertTrue(result.memoryOverPlan() > 1 && result.memoryOverPlan() < 2, result.toString());
    assertEquals("gtr4j", result.java().name());
    assertEquals("libgtr", result.natively().name());
  }
}
