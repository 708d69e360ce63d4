package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.kernel.Precision;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;

/** The goals that whole images have. */
final class ImageGoals {
  private static final String PEER = "PyTorch's time";
  private static final double JAVA = 1.02;

  /** One batch differs from the next of the very same calls by some percent. */
  private static final int ENOUGH_ROUNDS = 48;

  private final List<ImageResult> results;
  private final GoalList goals = new GoalList();

  private ImageGoals(List<ImageResult> results) {
    this.results = results;
  }

  /** Holds the goals against what was measured; ratios and shares have one for MAR-B alone. */
  static List<Goal> of(List<ImageResult> results) {
    ImageGoals all = new ImageGoals(results);
    all.ratio(Precision.BF16, 1, 0.75);
    all.ratio(Precision.BF16, 8, 0.92);
    all.ratio(Precision.F32, 1, 0.6);
    all.ratio(Precision.F32, 8, 0.9);
    all.head(1, 0.6);
    all.head(8, 0.85);
    all.share(1, 0.75);
    all.share(8, 0.85);
    all.java();
    all.goals.atMost(
        "resident peak, every case",
        1.25,
        "planned weights, activations and scratch",
        all.values(c -> true, ImageResult::memoryOverPlan));
    return all.goals.goals();
  }

  /**
   * Beside the time in the calls themselves, which knows no disturbance, and beside the same calls
   * again, which also shows whether Java makes calls slower, if there are rounds enough.
   */
  private void java() {
    goals.atMost(
        "sampling through Java, every case",
        JAVA,
        "the time in its calls of libgtr",
        values(c -> true, ImageResult::javaOverLibrary));
    goals.atMost(
        "sampling through Java, cases of " + ENOUGH_ROUNDS + " rounds and more",
        JAVA,
        "the same calls again from C++",
        results.stream()
            .filter(result -> result.rounds() >= ENOUGH_ROUNDS)
            .mapToDouble(ImageResult::javaOverReplay)
            .toArray());
  }

  private void ratio(Precision precision, int images, double limit) {
    ImageCase c = new ImageCase(ModelSize.B, precision, images);
    goals.atMost("whole image, " + text(c), limit, PEER, values(c::equals, ImageResult::ratio));
  }

  private void head(int images, double limit) {
    ImageCase c = new ImageCase(ModelSize.B, Precision.BF16, images);
    goals.atMost(
        "selection and head, " + text(c), limit, PEER, values(c::equals, ImageResult::headRatio));
  }

  private void share(int images, double limit) {
    ImageCase c = new ImageCase(ModelSize.B, Precision.BF16, images);
    goals.atLeast(
        "FLOPs executed over time, " + text(c),
        limit,
        "of peak",
        results.stream()
            .filter(result -> result.images().equals(c))
            .map(
                result ->
                    new GoalList.Share(
                        result.shareOfPeak(), result.shareOfPeak() / result.shareOfRoofline()))
            .toArray(GoalList.Share[]::new));
  }

  private static String text(ImageCase c) {
    return c.precision().name().toLowerCase(Locale.ROOT) + ", MAR-B, batch " + c.images();
  }

  private double[] values(Predicate<ImageCase> isMeant, ToDoubleFunction<ImageResult> value) {
    return results.stream()
        .filter(result -> isMeant.test(result.images()))
        .mapToDouble(value)
        .toArray();
  }
}
