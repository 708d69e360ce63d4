package io.github.gtr4j.bench.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.gtr4j.kernel.Precision;
import java.util.List;
import org.junit.jupiter.api.Test;

class ImageGoalsTest {
  private static final Peaks PEAKS = PeaksTest.of(1e12, 2e12, 1e11);

  /**
   * A case at a share of the peak, a ratio to the peer and to its calls, and of memory to its plan.
   */
  private static ImageResult result(
      ImageCase c, double share, double ratio, double overCalls, double overPlan) {
    double seconds = c.flops().total() / c.images() / (share * PEAKS.flops(c.precision()));
    return new ImageResult(
        c,
        c.flops(),
        PEAKS,
        share,
        48,
        overCalls,
        overCalls,
        side("gtr4j", seconds, 1000, Math.round(1000 * overPlan)),
        side("libgtr", seconds / overCalls, 0, 1),
        side("PyTorch 2", seconds / ratio, 0, 2000000));
  }

  private static ImageResult.Side side(
      String name, double seconds, long plannedBytes, long residentBytes) {
    return new ImageResult.Side(
        name, seconds, 0.01, 0.6 * seconds, 0.3 * seconds, plannedBytes, residentBytes);
  }

  private static List<Goal.Outcome> outcomes(
      double share, double ratio, double overCalls, double overPlan) {
    List<ImageResult> results =
        ImageCase.of(List.of(ModelSize.B), List.of(Precision.values()), List.of(1, 8)).stream()
            .map(c -> result(c, share, ratio, overCalls, overPlan))
            .toList();
    return ImageGoals.of(results).stream().map(Goal::outcome).distinct().toList();
  }

  @Test
  void goodEnoughMeetsAll() {
    assertEquals(List.of(Goal.Outcome.MET), outcomes(0.9, 0.5, 1.01, 1.2));
  }

  @Test
  void tooSlowAndLargeMeetsNone() {
    assertEquals(List.of(Goal.Outcome.NOT_MET), outcomes(0.6, 0.95, 1.1, 1.3));
  }

  private static ImageTime time(double seconds, double librarySeconds) {
    return new ImageTime(seconds, 0, 0, librarySeconds, 0);
  }

  @Test
  void whatIsComparedIsOfTheSameRound() {
    ImageCase c = new ImageCase(ModelSize.B, Precision.BF16, 1);
    double second = c.flops().total();
    // A machine that is twice as fast in one round as in another: the same share in both.
    List<Peaks> peaks =
        List.of(
            PeaksTest.of(1, second / 0.4, 1),
            PeaksTest.of(1, second / 0.8, 1),
            PeaksTest.of(1, second, 1));
    List<ImageTime> times = List.of(time(0.5, 0.4), time(1, 0.5), time(2, 1.8));
    List<ImageTime> replays = List.of(time(0.5, 0.5), time(0.5, 0.5), time(4, 4));
    ImageResult.Side side = side("gtr4j", 1, 1, 1);
    ImageResult result = ImageResult.of(c, c.flops(), peaks, times, replays, side, side, null);
    assertEquals(1, result.javaOverReplay(), 1e-9);
    assertEquals(1.25, result.javaOverLibrary(), 1e-9);
    assertEquals(3, result.rounds());
    assertEquals(0.8, result.shareOfPeak(), 1e-9);
    assertEquals(second / 0.8, result.peaks().flops(Precision.BF16), 1e-3);
  }

  @Test
  void withoutAPeerItsGoalsAreUnknown() {
    ImageCase c = new ImageCase(ModelSize.B, Precision.BF16, 1);
    ImageResult all = result(c, 0.8, 0.5, 1, 1);
    ImageResult alone =
        new ImageResult(c, all.flops(), PEAKS, 0.8, 47, 1.01, 1, all.java(), all.replay(), null);
    List<Goal> goals = ImageGoals.of(List.of(alone));
    assertEquals(Goal.Outcome.UNKNOWN, goals.get(0).outcome());
    assertEquals(Goal.Outcome.MET, outcome(goals, "sampling through Java, every case"));
    assertEquals(
        Goal.Outcome.UNKNOWN,
        outcome(goals, "sampling through Java, cases of 48 rounds and more"),
        "too few rounds");
    assertEquals(
        List.of("80%"),
        goals.stream()
            .filter(goal -> goal.what().equals("FLOPs executed over time, bf16, MAR-B, batch 1"))
            .map(Goal::measured)
            .toList());
  }

  private static Goal.Outcome outcome(List<Goal> goals, String what) {
    return goals.stream().filter(goal -> goal.what().equals(what)).findAny().get().outcome();
  }

  @Test
  void report() throws Exception {
    ImageCase c = new ImageCase(ModelSize.B, Precision.BF16, 8);
    Machine machine =
        new Machine("Some CPU", 2, "avx2", 2, "JVM 17", "PyTorch 2", "2026-11-27", "abc");
    ImageReport report =
        new ImageReport(
            "bench/cpu.sh images",
            machine,
            4,
            3,
            List.of(result(c, 0.5, 0.8, 1.01, 1.2)),
            List.of());
    String markdown = report.markdown();
    List<String> rows =
        markdown.lines().filter(line -> line.startsWith("| MAR-B, bf16, batch 8")).toList();
    assertEquals(3, rows.size(), markdown);
    String seconds = String.format("%.2f", c.flops().total() / 8e12);
    // Nothing holds the products back, so the least time is theirs at the peak.
    String least = String.format("%.2f s", c.flops().total() / 8 / PEAKS.bf16Flops());
    assertEquals(
        "| MAR-B, bf16, batch 8 | " + seconds + " | 1.000 | 2.000 | 50% | " + least + " | 50% |",
        rows.get(1));
    assertEquals("| MAR-B, bf16, batch 8 | 0 MB | 0 MB | 1.20 | 2 MB |", rows.get(2));
    assertTrue(markdown.contains("| starts, rounds of each | 4, 3 |"), markdown);
    JsonNode root = new ObjectMapper().readTree(report.json());
    assertEquals(4, root.get("starts").asInt());
    assertEquals(8, root.at("/results/0/images/images").asInt());
    assertEquals("PyTorch 2", root.at("/results/0/peer/name").asText());
  }
}
