package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.kernel.Precision;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;

/**
 * The goals that operations have; a goal over several cases is met if the worst of them meets it.
 */
final class Goals {
  private final Map<Case, Comparison> measured;
  private final GoalList list = new GoalList();

  private Goals(Map<Case, Comparison> measured) {
    this.measured = measured;
  }

  /** Holds the goals against what was measured. */
  static List<Goal> of(Map<Case, Comparison> measured) {
    Goals goals = new Goals(measured);
    goals.atMost("head chain, bf16, MAR-B, batch 1", 0.6, c -> isHead(c, 1));
    goals.atMost("head chain, bf16, MAR-B, batch 8", 0.85, c -> isHead(c, 8));
    goals.atLeast(
        "linear, bf16, MAR-B, 128 rows and more",
        0.85,
        "of peak",
        c -> isLinear(c) && ((LinearWorkload) c.workload()).rows() >= 128,
        Comparison::shareOfPeak);
    goals.atLeast(
        "linear, bf16, MAR-B, 16 rows, cached weights",
        0.7,
        "of peak",
        c -> hasRows(c, 16, false),
        Comparison::shareOfPeak);
    goals.atLeast(
        "linear, bf16, MAR-B, 16 rows, weights from memory",
        0.7,
        "of peak",
        c -> hasRows(c, 16, true),
        Comparison::shareOfPeak);
    goals.atLeast(
        "linear, bf16, MAR-B, 2 rows, weights from memory",
        0.8,
        "of read bandwidth",
        c -> hasRows(c, 2, true),
        Comparison::shareOfBandwidth);
    for (int dim : new int[] {64, 80}) {
      String name = "attention, bf16, S = 320, d = " + dim;
      Predicate<Case> isMeant = c -> isAttention(c, dim);
      goals.list.atMost(
          name, 1 / 1.7, "PyTorch's time", goals.values(isMeant, goals::ratioToFastestPeer));
      goals.atLeast(name, 0.55, "of peak", isMeant, Comparison::shareOfPeak);
    }
    goals.atMost("frequency energy, 128 x 1280", 1 / 3.0, Goals::isFrequencyEnergy);
    return goals.list.goals();
  }

  private static boolean isBf16OfB(Case c) {
    return c.precision() == Precision.BF16 && c.shape().startsWith(ModelSize.B.label());
  }

  private static boolean isHead(Case c, int images) {
    return isBf16OfB(c)
        && c.workload() instanceof HeadWorkload head
        && head.groups().equals(StepShape.gtr(ModelSize.B.configuration(), 0, images).groups());
  }

  private static boolean isLinear(Case c) {
    return isBf16OfB(c) && c.workload() instanceof LinearWorkload;
  }

  private static boolean hasRows(Case c, long rows, boolean cold) {
    return isLinear(c)
        && ((LinearWorkload) c.workload()).rows() == rows
        && ((LinearWorkload) c.workload()).cold() == cold;
  }

  private static boolean isAttention(Case c, int dim) {
    return c.precision() == Precision.BF16
        && c.workload() instanceof AttentionWorkload attention
        && attention.queries() == 320
        && attention.keys() == 320
        && attention.headDim() == dim;
  }

  private static boolean isFrequencyEnergy(Case c) {
    return c.workload().equals(new FrequencyEnergyWorkload(128, 1280));
  }

  private double[] values(Predicate<Case> isMeant, ToDoubleFunction<Comparison> value) {
    return measured.entrySet().stream()
        .filter(entry -> isMeant.test(entry.getKey()))
        .mapToDouble(entry -> value.applyAsDouble(entry.getValue()))
        .toArray();
  }

  /**
   * Our time over the least that PyTorch takes for the same operation in any precision and build:
   * where one has no fast product in bfloat16, float or another build is what its user would
   * choose. NaN if not every precision was measured.
   */
  private double ratioToFastestPeer(Comparison comparison) {
    double[] peers =
        measured.values().stream()
            .filter(other -> other.peer() != null)
            .filter(other -> other.ours().operation().equals(comparison.ours().operation()))
            .filter(other -> other.ours().shape().equals(comparison.ours().shape()))
            .mapToDouble(Goals::fasterPeer)
            .toArray();
    return peers.length < Precision.values().length
        ? Double.NaN
        : comparison.ours().seconds() / Arrays.stream(peers).min().getAsDouble();
  }

  private static double fasterPeer(Comparison comparison) {
    double libtorch = comparison.peer().seconds();
    return comparison.pytorch() == null
        ? libtorch
        : Math.min(libtorch, comparison.pytorch().seconds());
  }

  /** Our time over libtorch's is at most so much. */
  private void atMost(String what, double limit, Predicate<Case> isMeant) {
    list.atMost(what, limit, "libtorch's time", values(isMeant, Comparison::ratio));
  }

  /** A share is at least so much. */
  private void atLeast(
      String what,
      double limit,
      String of,
      Predicate<Case> isMeant,
      ToDoubleFunction<Comparison> share) {
    list.atLeast(
        what,
        limit,
        of,
        measured.entrySet().stream()
            .filter(entry -> isMeant.test(entry.getKey()))
            .map(entry -> share(entry.getValue(), share))
            .toArray(GoalList.Share[]::new));
  }

  private static GoalList.Share share(Comparison c, ToDoubleFunction<Comparison> share) {
    double reached = share.applyAsDouble(c);
    return new GoalList.Share(reached, reached / c.shareOfRoofline());
  }
}
