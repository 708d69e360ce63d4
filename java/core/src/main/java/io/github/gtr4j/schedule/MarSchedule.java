package io.github.gtr4j.schedule;

import io.github.gtr4j.InvalidArgumentException;
import java.util.OptionalInt;

/**
 * The schedule of MAR: a random order over the whole grid, few tokens at first and ever more, such
 * that the share of masked tokens follows a cosine.
 */
public final class MarSchedule implements Schedule {
  /** Decode steps if none are given, in grids with so many cells. */
  public static final int DEFAULT_STEPS = 64;

  /** Diffusion steps of each token if none are given. */
  public static final int DEFAULT_DIFFUSION_STEPS = 100;

  private final OptionalInt steps;
  private final int diffusionSteps;

  private MarSchedule(Builder builder) {
    this.steps = builder.steps;
    this.diffusionSteps = builder.diffusionSteps;
  }

  /** 64 decode steps, or as many as the grid has cells if that is less; 100 diffusion steps. */
  public static MarSchedule defaults() {
    return builder().build();
  }

  /** Starts from the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** Decode steps, if they were given. */
  public OptionalInt steps() {
    return steps;
  }

  /** Diffusion steps of each token. */
  public int diffusionSteps() {
    return diffusionSteps;
  }

  @Override
  public Plan plan(CellSet cells) {
    Checks.notEmpty(cells);
    int total = cells.size();
    int count = Math.min(steps.orElse(DEFAULT_STEPS), total);
    if (cells.isAll() && steps.isPresent() && steps.getAsInt() > total) {
      throw new InvalidArgumentException(
          "steps",
          steps.getAsInt()
              + " decode steps, but a grid of "
              + cells.grid()
              + " has "
              + total
              + " cells; allowed 1 to "
              + total);
    }
    Plan.Builder plan = new Plan.Builder(cells, new int[cells.grid().cells()]);
    int masked = total;
    for (int s = 0; s < count; s++) {
      int left = s == count - 1 ? 0 : maskedAfter(s, count, total, masked);
      plan.add(0, false, masked - left, diffusionSteps);
      masked = left;
    }
    return plan.build();
  }

  private static int maskedAfter(int step, int steps, int total, int masked) {
    // The order of these operations is that of the official code; another one rounds differently.
    double cosine = StrictMath.cos((StrictMath.PI / 2 * (step + 1)) / steps);
    return Math.max(1, Math.min(masked - 1, (int) Math.floor(total * cosine)));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof MarSchedule mar
        && steps.equals(mar.steps)
        && diffusionSteps == mar.diffusionSteps;
  }

  @Override
  public int hashCode() {
    return 31 * steps.hashCode() + diffusionSteps;
  }

  @Override
  public String toString() {
    String decode = steps.isPresent() ? String.valueOf(steps.getAsInt()) : "up to " + DEFAULT_STEPS;
    return "MAR, " + decode + " decode steps of " + diffusionSteps + " diffusion steps";
  }

  /** Sets what differs from the defaults. */
  public static final class Builder {
    private OptionalInt steps = OptionalInt.empty();
    private int diffusionSteps = DEFAULT_DIFFUSION_STEPS;

    private Builder() {}

    /** Decode steps: 1 to the number of cells of the grid. */
    public Builder steps(int steps) {
      if (steps < 1) {
        throw new InvalidArgumentException(
            "steps", steps + " decode steps; allowed 1 to the number of cells of the grid");
      }
      this.steps = OptionalInt.of(steps);
      return this;
    }

    /** Diffusion steps of each token: 1 to 1000. */
    public Builder diffusionSteps(int diffusionSteps) {
      this.diffusionSteps = Checks.diffusionSteps("diffusionSteps", diffusionSteps);
      return this;
    }

    /** The schedule. */
    public MarSchedule build() {
      return new MarSchedule(this);
    }
  }
}
