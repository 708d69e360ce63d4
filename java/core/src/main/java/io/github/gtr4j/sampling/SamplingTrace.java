package io.github.gtr4j.sampling;

import io.github.gtr4j.schedule.DecodeOrder;
import java.util.List;

/** How an image came about. Immutable. */
public final class SamplingTrace {
  private final DecodeOrder order;
  private final int[] diffusionSteps;
  private final List<Selection> selections;

  SamplingTrace(DecodeOrder order, int[] diffusionSteps, List<Selection> selections) {
    this.order = order;
    this.diffusionSteps = diffusionSteps;
    this.selections = List.copyOf(selections);
  }

  /** The decoded cells in the order in which they were decoded. */
  public int[] order() {
    return order.toArray();
  }

  /** The decode step of each cell of the grid; −1 for those known from the start. */
  public int[] decodeStep() {
    return order.stepOfCell();
  }

  /** The diffusion steps of each cell of the grid; 0 for those known from the start. */
  public int[] diffusionSteps() {
    return diffusionSteps.clone();
  }

  /** The choices of frequency-weighted selection, one per decode step that made one. */
  public List<Selection> selections() {
    return selections;
  }

  /** A choice of frequency-weighted selection. Immutable. */
  public static final class Selection {
    private final int step;
    private final int[] cells;
    private final float[] scores;
    private final int[] selected;

    Selection(int step, int[] cells, float[] scores, int[] selected) {
      this.step = step;
      this.cells = cells;
      this.scores = scores;
      this.selected = selected;
    }

    /** The decode step. */
    public int step() {
      return step;
    }

    /** The cells of the step, in decode order. */
    public int[] cells() {
      return cells.clone();
    }

    /** The score of each of {@link #cells}. */
    public float[] scores() {
      return scores.clone();
    }

    /** The cells that were selected, in decode order. */
    public int[] selected() {
      return selected.clone();
    }
  }
}
