package io.github.gtr4j.bench.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Goals as they are held against what was measured; the worst of several values decides. */
final class GoalList {
  private final List<Goal> goals = new ArrayList<>();

  /**
   * A ratio is at most so much.
   *
   * @param of whose time it is a multiple of, such as "libtorch's time"
   * @param measured NaNs do not count
   */
  void atMost(String what, double limit, String of, double... measured) {
    double[] ratios = sorted(measured);
    String text = String.format(Locale.ROOT, "at most %.2fx %s", limit, of);
    boolean isMet = ratios.length > 0 && ratios[ratios.length - 1] <= limit;
    add(what, text, "%.2fx", 1, ratios, isMet);
  }

  /**
   * A share is at least so much.
   *
   * @param of what it is a share of, such as "of peak"
   * @param measured NaNs do not count
   */
  void atLeast(String what, double limit, String of, double... measured) {
    double[] shares = sorted(measured);
    String text = String.format(Locale.ROOT, "at least %.0f%% %s", 100 * limit, of);
    add(what, text, "%.0f%%", 100, shares, shares.length > 0 && shares[0] >= limit);
  }

  List<Goal> goals() {
    return List.copyOf(goals);
  }

  private void add(
      String what, String limit, String format, double factor, double[] sorted, boolean isMet) {
    if (sorted.length == 0) {
      goals.add(new Goal(what, limit, "not measured", Goal.Outcome.UNKNOWN));
      return;
    }
    String least = String.format(Locale.ROOT, format, factor * sorted[0]);
    String most = String.format(Locale.ROOT, format, factor * sorted[sorted.length - 1]);
    goals.add(
        new Goal(
            what,
            limit,
            least.equals(most) ? least : least + " to " + most,
            isMet ? Goal.Outcome.MET : Goal.Outcome.NOT_MET));
  }

  private static double[] sorted(double[] values) {
    return Arrays.stream(values).filter(value -> !Double.isNaN(value)).sorted().toArray();
  }
}
