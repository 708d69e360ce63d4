package io.github.gtr4j.bench.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
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
    goals.add(goal(what, text, "%.2fx", 1, ratios, isMet));
  }

  /**
   * A share is at least so much.
   *
   * @param of what it is a share of, such as "of peak"
   * @param measured those of which nothing is known do not count
   */
  void atLeast(String what, double limit, String of, Share... measured) {
    Share[] shares =
        Arrays.stream(measured)
            .filter(share -> !Double.isNaN(share.reached()))
            .sorted(Comparator.comparingDouble(Share::reached))
            .toArray(Share[]::new);
    Share[] missed =
        Arrays.stream(shares).filter(share -> share.reached() < limit).toArray(Share[]::new);
    double most = Arrays.stream(missed).mapToDouble(Share::most).max().orElse(Double.NaN);
    String text = String.format(Locale.ROOT, "at least %.0f%% %s", 100 * limit, of);
    double[] reached = Arrays.stream(shares).mapToDouble(Share::reached).toArray();
    Goal goal = goal(what, text, "%.0f%%", 100, reached, missed.length == 0);
    if (goal.outcome() == Goal.Outcome.NOT_MET && most < limit) {
      String roof = String.format(Locale.ROOT, ", of %.0f%% at most", 100 * most);
      goal = new Goal(what, text, goal.measured() + roof, Goal.Outcome.BEYOND_ROOFLINE);
    }
    goals.add(goal);
  }

  /**
   * A share of a peak.
   *
   * @param reached measured; NaN: not known
   * @param most that the roofline allows; NaN: not known
   */
  record Share(double reached, double most) {}

  List<Goal> goals() {
    return List.copyOf(goals);
  }

  private static Goal goal(
      String what, String limit, String format, double factor, double[] sorted, boolean isMet) {
    if (sorted.length == 0) {
      return new Goal(what, limit, "not measured", Goal.Outcome.UNKNOWN);
    }
    String least = String.format(Locale.ROOT, format, factor * sorted[0]);
    String most = String.format(Locale.ROOT, format, factor * sorted[sorted.length - 1]);
    return new Goal(
        what,
        limit,
        least.equals(most) ? least : least + " to " + most,
        isMet ? Goal.Outcome.MET : Goal.Outcome.NOT_MET);
  }

  private static double[] sorted(double[] values) {
    return Arrays.stream(values).filter(value -> !Double.isNaN(value)).sorted().toArray();
  }
}
