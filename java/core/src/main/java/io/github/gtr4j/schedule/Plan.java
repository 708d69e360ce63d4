package io.github.gtr4j.schedule;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How a grid of tokens is decoded: how many tokens each step decodes, in which stage and with how
 * many diffusion steps. It holds for any image; which cells a step decodes follows from the image's
 * {@link #order}. Immutable.
 */
public final class Plan {
  private static final int CELL_BITS = Integer.numberOfTrailingZeros(TokenGrid.MAX_CELLS);

  private final CellSet cells;
  private final int[] stageOfCell;
  private final List<DecodeStep> steps;

  private Plan(Builder builder) {
    this.cells = builder.cells;
    this.stageOfCell = builder.stageOfCell;
    this.steps = List.copyOf(builder.steps);
  }

  /** The grid of the image. */
  public TokenGrid grid() {
    return cells.grid();
  }

  /** The cells that are decoded; the others are known from the start. */
  public CellSet cells() {
    return cells;
  }

  /** The steps in decode order; together they decode every cell of {@link #cells} once. */
  public List<DecodeStep> steps() {
    return steps;
  }

  /** Stage of a cell that the plan decodes, or -1 for one that is known from the start. */
  public int stage(int cell) {
    return cells.contains(cell) ? stageOfCell[cell] : -1;
  }

  /** Most tokens that one step decodes. */
  public int maxTokensPerStep() {
    return steps.stream().mapToInt(DecodeStep::tokens).max().orElseThrow();
  }

  /** Diffusion steps of all tokens together. */
  public long totalDiffusionSteps() {
    return steps.stream().mapToLong(DecodeStep::totalDiffusionSteps).sum();
  }

  /**
   * The order in which the cells of one image are decoded: stage by stage, randomly within a stage.
   *
   * @param seed all 64 bits count
   * @param image index of the image, 0 to 2^32 - 1
   */
  public DecodeOrder order(long seed, long image) {
    int imageBits = Philox.imageBits(image);
    int[] order = cells.toArray();
    long[] keys = new long[order.length];
    for (int k = 0; k < order.length; k++) {
      int cell = order[k];
      long random = Integer.toUnsignedLong(Philox.orderKey(seed, cell, imageBits));
      keys[k] = ((long) stageOfCell[cell] << Integer.SIZE | random) << CELL_BITS | cell;
    }
    Arrays.sort(keys);
    for (int k = 0; k < order.length; k++) {
      order[k] = (int) keys[k] & (TokenGrid.MAX_CELLS - 1);
    }
    return new DecodeOrder(this, order);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Plan plan
        && cells.equals(plan.cells)
        && steps.equals(plan.steps)
        && Arrays.equals(stageOfCell, plan.stageOfCell);
  }

  @Override
  public int hashCode() {
    return 31 * cells.hashCode() + steps.hashCode();
  }

  @Override
  public String toString() {
    return cells + " in " + steps.size() + " steps";
  }

  /** Collects steps in decode order and keeps the account of what is known. */
  static final class Builder {
    private final CellSet cells;
    private final int[] stageOfCell;
    private final List<DecodeStep> steps = new ArrayList<>();
    private int decoded;

    /**
     * Begins a plan.
     *
     * @param stageOfCell a stage for each cell of the grid; kept
     */
    Builder(CellSet cells, int[] stageOfCell) {
      this.cells = cells;
      this.stageOfCell = stageOfCell;
    }

    Builder add(int stage, boolean reconstruction, int tokens, int diffusionSteps) {
      return add(stage, reconstruction, tokens, diffusionSteps, 0, diffusionSteps);
    }

    Builder add(
        int stage,
        boolean reconstruction,
        int tokens,
        int diffusionSteps,
        int detailTokens,
        int detailDiffusionSteps) {
      int gridCells = cells.grid().cells();
      int known = gridCells - cells.size() + decoded;
      int guidanceTokens = Math.min(known + tokens, gridCells - 1);
      steps.add(
          new DecodeStep(
              steps.size(),
              stage,
              reconstruction,
              decoded,
              tokens,
              known,
              diffusionSteps,
              detailTokens,
              detailDiffusionSteps,
              guidanceTokens));
      decoded += tokens;
      return this;
    }

    Plan build() {
      if (decoded != cells.size()) {
        throw new IllegalStateException(
            "the steps decode " + decoded + " tokens of " + cells.size());
      }
      return new Plan(this);
    }
  }
}
