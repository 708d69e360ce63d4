package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.kernel.Precision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;

/**
 * The goals that operations have; a goal over several cases is met if the worst of them meets it.
 */
final class Goals {
  private static final String NOT_MEASURED = "not measured";

  private final Map<Case, Comparison> measured;
  private final Peaks peaks;
  private final List<Goal> goals = new ArrayList<>();

  private Goals(Map<Case, Comparison> measured, Peaks peaks) {
    this.measured = measured;
    this.peaks = peaks;
  }

  /**
   * Holds the goals against what was measured.
   *
   * @param peaks of the machine; null if they were not measured
   */
  static List<Goal> of(Map<Case, Comparison> measured, Peaks peaks) {
    Goals goals = new Goals(measured, peaks);
    goals.atMost("head chain, bf16, MAR-B, batch 1", 0.6, c -> isHead(c, 1));
    goals.atMost("head chain, bf16, MAR-B, batch 8", 0.85, c -> isHead(c, 8));
    goals.atLeast(
        "linear, bf16, MAR-B, 128 rows and more",
        0.85,
        "of peak",
        c -> isLinear(c) && ((LinearWorkload) c.workload()).rows() >= 128,
        goals::shareOfPeak);
    goals.atLeast(
        "linear, bf16, MAR-B, 16 rows", 0.7, "of peak", c -> hasRows(c, 16), goals::shareOfPeak);
    goals.atLeast(
        "linear, bf16, MAR-B, 2 rows",
        0.8,
        "of read bandwidth",
        c -> hasRows(c, 2),
        goals::shareOfBandwidth);
    for (int dim : new int[] {64, 80}) {
      String name = "attention, bf16, S = 320, d = " + dim;
      Predicate<Case> isMeant = c -> isAttention(c, dim);
      goals.atMost(name, 1 / 1.7, isMeant, goals::ratioToFasterPrecision);
      goals.atLeast(name, 0.55, "of peak", isMeant, goals::shareOfPeak);
    }
    goals.atMost("frequency energy, 128 x 1280", 1 / 3.0, Goals::isFrequencyEnergy);
    return List.copyOf(goals.goals);
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

  private static boolean hasRows(Case c, long rows) {
    return isLinear(c) && ((LinearWorkload) c.workload()).rows() == rows;
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

  private double shareOfPeak(Comparison comparison) {
    return peaks == null
        ? Double.NaN
        : comparison.ours().flopsPerSecond() / peaks.flops(comparison.ours().precision());
  }

  private double shareOfBandwidth(Comparison comparison) {
    return peaks == null ? Double.NaN : comparison.ours().bytesPerSecond() / peaks.readBytes();
  }

  private double[] values(Predicate<Case> isMeant, ToDoubleFunction<Comparison> value) {
    return measured.entrySet().stream()
        .filter(entry -> isMeant.test(entry.getKey()))
        .mapToDouble(entry -> value.applyAsDouble(entry.getValue()))
        .filter(v -> !Double.isNaN(v))
        .sorted()
        .toArray();
  }

  /**
   * Our time over the least that libtorch takes for the same operation in any precision: where its
   * build has no fast product in bfloat16, float is what its user would choose. NaN if not every
   * precision was measured.
   */
  private double ratioToFasterPrecision(Comparison comparison) {
    double[] peers =
        measured.values().stream()
            .filter(other -> other.peer() != null)
            .filter(other -> other.ours().operation().equals(comparison.ours().operation()))
            .filter(other -> other.ours().shape().equals(comparison.ours().shape()))
            .mapToDouble(other -> other.peer().seconds())
            .toArray();
    return peers.length < Precision.values().length
        ? Double.NaN
        : comparison.ours().seconds() / Arrays.stream(peers).min().getAsDouble();
  }

  /** Our time over libtorch's is at most so much. */
  private void atMost(String what, double limit, Predicate<Case> isMeant) {
    atMost(what, limit, isMeant, Comparison::ratio);
  }

  private void atMost(
      String what, double limit, Predicate<Case> isMeant, ToDoubleFunction<Comparison> ratio) {
    double[] ratios = values(isMeant, ratio);
    String text = String.format(Locale.ROOT, "at most %.2fx libtorch's time", limit);
    if (ratios.length == 0) {
      goals.add(new Goal(what, text, NOT_MEASURED, Goal.Outcome.UNKNOWN));
      return;
    }
    double worst = ratios[ratios.length - 1];
    goals.add(new Goal(what, text, range("%.2fx", ratios, 1), outcome(worst <= limit)));
  }

  /** A share is at least so much. */
  private void atLeast(
      String what,
      double limit,
      String of,
      Predicate<Case> isMeant,
      ToDoubleFunction<Comparison> share) {
    double[] shares = values(isMeant, share);
    String text = String.format(Locale.ROOT, "at least %.0f%% %s", 100 * limit, of);
    if (shares.length == 0) {
      goals.add(new Goal(what, text, NOT_MEASURED, Goal.Outcome.UNKNOWN));
      return;
    }
    goals.add(new Goal(what, text, range("%.0f%%", shares, 100), outcome(shares[0] >= limit)));
  }

  private static Goal.Outcome outcome(boolean met) {
    return met ? Goal.Outcome.MET : Goal.Outcome.NOT_MET;
  }

  private static String range(String format, double[] sorted, double factor) {
    String least = String.format(Locale.ROOT, format, factor * sorted[0]);
    String most = String.format(Locale.ROOT, format, factor * sorted[sorted.length - 1]);
    return least.equals(most) ? least : least + " to " + most;
  }
}
