package io.github.gtr4j.schedule;

import io.github.gtr4j.InvalidArgumentException;
import java.util.Arrays;

/**
 * Generation-then-Reconstruction: sparse lattices of tokens are generated with care and in several
 * steps, then the rest, half of the grid, is reconstructed from its neighbours in few steps. Early
 * steps get more diffusion steps than late ones, and in the reconstruction the tokens with the most
 * high-frequency energy in their condition get more than the others.
 */
public final class GtrSchedule implements Schedule {
  private final int[] steps;
  private final int tMax;
  private final int tMin;
  private final int tReconstruction;
  private final double detailFraction;
  private final int tDetail;

  private GtrSchedule(Builder builder) {
    this.steps = builder.steps;
    this.tMax = builder.tMax;
    this.tMin = builder.tMin;
    this.tReconstruction = builder.tReconstruction;
    this.detailFraction = builder.detailFraction;
    this.tDetail = builder.tDetail;
  }

  /** Three stages of 12, 3 and 1 steps; 50 to 20 diffusion steps; 50 for a tenth of the rest. */
  public static GtrSchedule defaults() {
    return builder().build();
  }

  /** Starts from the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** Decode steps of each stage, in decode order. */
  public int[] steps() {
    return steps.clone();
  }

  /** Diffusion steps of the first generation step. */
  public int tMax() {
    return tMax;
  }

  /** Diffusion steps of the last generation step. */
  public int tMin() {
    return tMin;
  }

  /** Diffusion steps in the reconstruction. */
  public int tReconstruction() {
    return tReconstruction;
  }

  /** Share of a reconstruction step's tokens that is chosen for detail. */
  public double detailFraction() {
    return detailFraction;
  }

  /** Diffusion steps of the tokens chosen for detail. */
  public int tDetail() {
    return tDetail;
  }

  @Override
  public Plan plan(CellSet cells) {
    Checks.notEmpty(cells);
    Stages stages = Stages.of(cells.grid(), steps.length);
    if (cells.isAll()) {
      checkFits(stages);
    }
    int[] stageOfCell = new int[cells.grid().cells()];
    int[] sizes = new int[stages.count()];
    for (int cell = 0; cell < stageOfCell.length; cell++) {
      stageOfCell[cell] = stages.stage(cell);
      if (cells.contains(cell)) {
        sizes[stages.stage(cell)]++;
      }
    }
    int generationSteps = 0;
    for (int stage = 0; stage < sizes.length - 1; stage++) {
      generationSteps += Math.min(steps[stage], sizes[stage]);
    }

    Plan.Builder plan = new Plan.Builder(cells, stageOfCell);
    int generationStep = 0;
    for (int stage = 0; stage < sizes.length; stage++) {
      boolean reconstruction = stages.isReconstruction(stage);
      int count = Math.min(steps[stage], sizes[stage]);
      for (int i = 0; i < count; i++) {
        int tokens = share(sizes[stage], i + 1, count) - share(sizes[stage], i, count);
        if (reconstruction) {
          int detailTokens = detailTokens(tokens);
          plan.add(stage, true, tokens, tReconstruction, detailTokens, tDetail);
        } else {
          plan.add(stage, false, tokens, diffusionSteps(generationStep++, generationSteps));
        }
      }
    }
    return plan.build();
  }

  private void checkFits(Stages stages) {
    TokenGrid grid = stages.grid();
    int largest = Stages.largestCount(grid);
    if (largest < Stages.MIN_COUNT) {
      throw new InvalidArgumentException(
          "steps", "a grid of " + grid + " has no second stage for GtR; use the MAR schedule");
    }
    if (steps.length > largest) {
      throw new InvalidArgumentException(
          "steps",
          steps.length + " stages, but a grid of " + grid + " has cells for at most " + largest);
    }
    for (int stage = 0; stage < steps.length; stage++) {
      if (steps[stage] > stages.size(stage)) {
        throw new InvalidArgumentException(
            "steps",
            steps[stage]
                + " steps for stage "
                + (stage + 1)
                + " of "
                + steps.length
                + ", which has "
                + stages.size(stage)
                + " cells in a grid of "
                + grid
                + "; allowed 1 to "
                + stages.size(stage));
      }
    }
  }

  private static int share(int cells, int parts, int of) {
    return (int) ((long) cells * parts / of);
  }

  /** Falls linearly from tMax to tMin over the generation steps, rounded half up. */
  private int diffusionSteps(int step, int generationSteps) {
    if (generationSteps == 1) {
      return tMax;
    }
    long last = generationSteps - 1;
    return (int) Math.floorDiv(2 * tMax * last + 2L * (tMin - tMax) * step + last, 2 * last);
  }

  private int detailTokens(int tokens) {
    if (detailFraction == 0) {
      return 0;
    }
    return Math.max(1, (int) Math.floor(detailFraction * tokens + 0.5));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof GtrSchedule gtr
        && Arrays.equals(steps, gtr.steps)
        && tMax == gtr.tMax
        && tMin == gtr.tMin
        && tReconstruction == gtr.tReconstruction
        && detailFraction == gtr.detailFraction
        && tDetail == gtr.tDetail;
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(
        new int[] {
          Arrays.hashCode(steps),
          tMax,
          tMin,
          tReconstruction,
          Double.hashCode(detailFraction),
          tDetail
        });
  }

  @Override
  public String toString() {
    return "GtR, stages of " + Arrays.toString(steps) + " decode steps";
  }

  /** Sets what differs from the defaults. */
  public static final class Builder {
    private int[] steps = {12, 3, 1};
    private int tMax = 50;
    private int tMin = 20;
    private int tReconstruction = 20;
    private double detailFraction = 0.1;
    private int tDetail = 50;

    private Builder() {}

    /** Decode steps of each stage, in decode order; at least 2 stages, each with 1 to its cells. */
    public Builder steps(int... steps) {
      if (steps.length < Stages.MIN_COUNT) {
        throw new InvalidArgumentException(
            "steps",
            steps.length
                + " stages; a GtR schedule has at least "
                + Stages.MIN_COUNT
                + ", such as 12,3,1");
      }
      for (int stage = 0; stage < steps.length; stage++) {
        if (steps[stage] < 1) {
          throw new InvalidArgumentException(
              "steps",
              steps[stage]
                  + " steps for stage "
                  + (stage + 1)
                  + " of "
                  + steps.length
                  + "; allowed 1 to the number of the stage's cells");
        }
      }
      this.steps = steps.clone();
      return this;
    }

    /** Diffusion steps of the first generation step: tMin to 1000. */
    public Builder tMax(int tMax) {
      this.tMax = Checks.diffusionSteps("tMax", tMax);
      return this;
    }

    /** Diffusion steps of the last generation step: 1 to tMax. */
    public Builder tMin(int tMin) {
      this.tMin = Checks.diffusionSteps("tMin", tMin);
      return this;
    }

    /** Diffusion steps in the reconstruction: 1 to 1000. */
    public Builder tReconstruction(int tReconstruction) {
      this.tReconstruction = Checks.diffusionSteps("tReconstruction", tReconstruction);
      return this;
    }

    /** Share of a reconstruction step's tokens that is chosen for detail: 0 (none) to 1. */
    public Builder detailFraction(double detailFraction) {
      if (!(detailFraction >= 0 && detailFraction <= 1)) {
        throw new InvalidArgumentException("detailFraction", detailFraction + "; allowed 0 to 1");
      }
      // Also turns -0.0 into 0.0, so that equal schedules have equal hash codes.
      this.detailFraction = detailFraction + 0.0;
      return this;
    }

    /** Diffusion steps of the tokens chosen for detail: 1 to 1000. */
    public Builder tDetail(int tDetail) {
      this.tDetail = Checks.diffusionSteps("tDetail", tDetail);
      return this;
    }

    /**
     * The schedule.
     *
     * @throws InvalidArgumentException if tMin exceeds tMax
     */
    public GtrSchedule build() {
      if (tMin > tMax) {
        throw new InvalidArgumentException(
            "tMin", tMin + " diffusion steps; allowed 1 to tMax = " + tMax);
      }
      return new GtrSchedule(this);
    }
  }
}
