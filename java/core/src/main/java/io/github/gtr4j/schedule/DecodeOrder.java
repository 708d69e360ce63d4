package io.github.gtr4j.schedule;

import java.util.Arrays;

/** The cells of one image in the order in which a plan decodes them. Immutable. */
public final class DecodeOrder {
  private final Plan plan;
  private final int[] cells;

  DecodeOrder(Plan plan, int[] cells) {
    this.plan = plan;
    this.cells = cells;
  }

  /** The plan that is followed. */
  public Plan plan() {
    return plan;
  }

  /** Number of cells that are decoded. */
  public int size() {
    return cells.length;
  }

  /** The cell that is decoded at a position, from 0. */
  public int cell(int position) {
    return cells[position];
  }

  /** The cells that a step decodes, in decode order. */
  public int[] cells(DecodeStep step) {
    return Arrays.copyOfRange(cells, step.start(), step.end());
  }

  /** All cells in decode order. */
  public int[] toArray() {
    return cells.clone();
  }

  /** Index of the step that decodes each cell of the grid; -1 for those known from the start. */
  public int[] stepOfCell() {
    int[] step = new int[plan.grid().cells()];
    Arrays.fill(step, -1);
    for (DecodeStep decodeStep : plan.steps()) {
      for (int position = decodeStep.start(); position < decodeStep.end(); position++) {
        step[cells[position]] = decodeStep.index();
      }
    }
    return step;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof DecodeOrder order
        && plan.equals(order.plan)
        && Arrays.equals(cells, order.cells);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(cells);
  }

  @Override
  public String toString() {
    return Arrays.toString(cells);
  }
}
