package io.github.gtr4j.bench.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.gtr4j.kernel.Activation;
import io.github.gtr4j.kernel.Precision;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GoalsTest {
  private static final Peaks PEAKS = PeaksTest.of(1e12, 2e12, 1e11);

  /** Goals with every case at a share of the peak and of bandwidth, and at a ratio to the peer. */
  static List<Goal> goalsOf(List<Case> cases, double share, double ratio) {
    Map<Case, Comparison> measured = new LinkedHashMap<>();
    for (Case c : cases) {
      double flops = c.workload().flops();
      double bytes = c.workload().memoryBytes(c.precision());
      boolean byBytes =
          bytes > 0 && c.workload() instanceof LinearWorkload linear && linear.rows() == 2;
      double seconds = byBytes ? bytes / PEAKS.readBytes() : flops / PEAKS.flops(c.precision());
      double ours = Math.max(seconds / share, 1e-6);
      measured.put(
          c,
          new Comparison(
                  result(c, Implementation.GTR4J, ours, flops, bytes),
                  result(c, Implementation.LIBTORCH, ours / ratio, flops, bytes))
              .with(PEAKS, c.workload()));
    }
    return Goals.of(measured);
  }

  private static Result result(
      Case c, Implementation implementation, double seconds, double flops, double bytes) {
    return new Result(
        c.operation(), c.shape(), c.precision(), implementation, seconds, 0, flops, bytes, 0);
  }

  private static List<Goal.Outcome> outcomes(List<Goal> goals) {
    return goals.stream().map(Goal::outcome).distinct().toList();
  }

  @Test
  void fastEnoughMeetsAll() {
    assertEquals(List.of(Goal.Outcome.MET), outcomes(goalsOf(Cases.quick(), 0.9, 0.3)));
  }

  @Test
  void tooSlowMeetsNone() {
    assertEquals(List.of(Goal.Outcome.NOT_MET), outcomes(goalsOf(Cases.quick(), 0.5, 0.9)));
  }

  @Test
  void theWorstCaseDecides() {
    Case one = linear(128);
    Case other = linear(640);
    Map<Case, Comparison> measured = new LinkedHashMap<>();
    measured.put(one, comparison(one, 0.95, PEAKS));
    measured.put(other, comparison(other, 0.8, PEAKS));
    Goal goal = manyRows(measured);
    assertEquals("80% to 95%", goal.measured());
    assertEquals(Goal.Outcome.NOT_MET, goal.outcome());
  }

  private static Goal manyRows(Map<Case, Comparison> measured) {
    return Goals.of(measured).stream()
        .filter(g -> g.what().contains("128 rows"))
        .findFirst()
        .orElseThrow();
  }

  /** Caches that feed the products at 0.6 of their peak. */
  @Test
  void whatTheRooflineForbidsIsSaid() {
    Peaks peaks = new Peaks(1e12, 2e12, 1e15, 1.2e12, 1e15, 1e15, 2e12, 2e12);
    Case one = linear(128);
    Goal goal = manyRows(Map.of(one, comparison(one, 0.5, peaks)));
    assertEquals("50%, of 60% at most", goal.measured());
    assertEquals(Goal.Outcome.BEYOND_ROOFLINE, goal.outcome());
  }

  /** A peer that is slow in bfloat16 alone is no peer in it. */
  @Test
  void attentionIsHeldAgainstTheFasterPrecision() {
    AttentionWorkload workload = new AttentionWorkload(2, 320, 320, 12, 64);
    Map<Case, Comparison> measured = new LinkedHashMap<>();
    attention(measured, workload, Precision.BF16, 1, 100);
    assertEquals(Goal.Outcome.UNKNOWN, attentionRatio(measured).outcome());
    attention(measured, workload, Precision.F32, 1.2, 1.25);
    assertEquals("0.80x", attentionRatio(measured).measured());
    assertEquals(Goal.Outcome.NOT_MET, attentionRatio(measured).outcome());
  }

  /** Nor is a build that is slow. */
  @Test
  void attentionIsHeldAgainstTheFasterBuild() {
    AttentionWorkload workload = new AttentionWorkload(2, 320, 320, 12, 64);
    Map<Case, Comparison> measured = new LinkedHashMap<>();
    attention(measured, workload, Precision.BF16, 1, 100);
    attention(measured, workload, Precision.F32, 3, 9);
    assertEquals("0.11x", attentionRatio(measured).measured());
    measured.replaceAll(
        (c, comparison) ->
            comparison.with(
                result(
                    c,
                    Implementation.PYTORCH,
                    c.precision() == Precision.BF16 ? 2 : 4,
                    workload.flops(),
                    0)));
    assertEquals("0.50x", attentionRatio(measured).measured());
  }

  private static void attention(
      Map<Case, Comparison> measured,
      AttentionWorkload workload,
      Precision precision,
      double ours,
      double peer) {
    Case c = new Case("attention", "MAR-B decoder", precision, workload);
    measured.put(
        c,
        new Comparison(
            result(c, Implementation.GTR4J, ours, workload.flops(), 0),
            result(c, Implementation.LIBTORCH, peer, workload.flops(), 0)));
  }

  private static Goal attentionRatio(Map<Case, Comparison> measured) {
    return Goals.of(measured).stream()
        .filter(g -> g.what().endsWith("d = 64") && g.limit().contains("PyTorch"))
        .findFirst()
        .orElseThrow();
  }

  private static Case linear(long rows) {
    return new Case(
        "linear",
        "MAR-B qkv, " + rows + " rows",
        Precision.BF16,
        new LinearWorkload(rows, 768, 2304, Activation.NONE, false, true));
  }

  private static Comparison comparison(Case c, double share, Peaks peaks) {
    double flops = c.workload().flops();
    return new Comparison(
            result(c, Implementation.GTR4J, flops / (share * PEAKS.bf16Flops()), flops, 0), null)
        .with(peaks, c.workload());
  }

  @Test
  void withoutCasesNothingIsKnown() {
    assertEquals(List.of(Goal.Outcome.UNKNOWN), outcomes(Goals.of(Map.of())));
  }
}
