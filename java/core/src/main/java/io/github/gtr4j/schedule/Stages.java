package io.github.gtr4j.schedule;

import io.github.gtr4j.InvalidArgumentException;
import java.util.Arrays;

/**
 * The stages of Generation-then-Reconstruction: R_0 is the whole grid; for k = 1..K-1, T_k are the
 * cells of R_(k-1) with (row + column) mod 2^k != 0 and R_k the others. Decoded are R_(K-1),
 * T_(K-1), ..., T_1: ever denser lattices, and at last the odd squares of the checkerboard, each of
 * which has only known neighbours. That last stage is the reconstruction, the others are the
 * generation.
 */
public final class Stages {
  /** Fewest stages: one that generates and one that reconstructs. */
  public static final int MIN_COUNT = 2;

  private final TokenGrid grid;
  private final int[] stageOfCell;
  private final int[] sizes;

  private Stages(TokenGrid grid, int count) {
    this.grid = grid;
    this.stageOfCell = new int[grid.cells()];
    this.sizes = new int[count];
    for (int cell = 0; cell < stageOfCell.length; cell++) {
      int stage = stageOf(grid.row(cell) + grid.column(cell), count);
      stageOfCell[cell] = stage;
      sizes[stage]++;
    }
  }

  /** A cell of T_k has k - 1 trailing zero bits in its diagonal's number; R_(K-1) is the rest. */
  private static int stageOf(int diagonal, int count) {
    int zeros = diagonal == 0 ? count - 1 : Integer.numberOfTrailingZeros(diagonal);
    return Math.max(0, count - 1 - zeros);
  }

  /**
   * The stages of a grid; some may be empty.
   *
   * @param count K, at least 2
   */
  public static Stages of(TokenGrid grid, int count) {
    if (count < MIN_COUNT) {
      throw new InvalidArgumentException(
          "stages", count + "; a GtR schedule has at least " + MIN_COUNT);
    }
    return new Stages(grid, count);
  }

  /**
   * The most stages that the grid can have with no stage empty; 1 if even two are too many, as a
   * single cell has no odd neighbour.
   */
  public static int largestCount(TokenGrid grid) {
    int lastDiagonal = grid.height() + grid.width() - 2;
    // T_k holds diagonal 2^(k-1) if any, so K - 1 is the number of powers of two in the grid.
    return lastDiagonal == 0 ? 1 : 33 - Integer.numberOfLeadingZeros(lastDiagonal);
  }

  /** The grid that is divided. */
  public TokenGrid grid() {
    return grid;
  }

  /** Number of stages, K. */
  public int count() {
    return sizes.length;
  }

  /** Number of cells of a stage; stages count from 0 in decode order. */
  public int size(int stage) {
    return sizes[stage];
  }

  /** Stage of a cell; stages count from 0 in decode order. */
  public int stage(int cell) {
    return stageOfCell[cell];
  }

  /** Whether a stage is the reconstruction, which is the last one. */
  public boolean isReconstruction(int stage) {
    return stage == sizes.length - 1;
  }

  /** The cells of a stage, ascending. */
  public int[] cells(int stage) {
    int[] cells = new int[sizes[stage]];
    int count = 0;
    for (int cell = 0; cell < stageOfCell.length; cell++) {
      if (stageOfCell[cell] == stage) {
        cells[count++] = cell;
      }
    }
    return cells;
  }

  @Override
  public String toString() {
    return grid + " in stages of " + Arrays.toString(sizes);
  }
}
