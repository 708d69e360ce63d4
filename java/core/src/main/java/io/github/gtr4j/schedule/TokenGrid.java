package io.github.gtr4j.schedule;

import io.github.gtr4j.InvalidArgumentException;

/**
 * The grid of tokens of one image. Cell (i, j) has index {@code i * width + j}.
 *
 * @param height rows
 * @param width columns
 */
public record TokenGrid(int height, int width) {
  /** Most cells that a grid can have. */
  public static final int MAX_CELLS = 1 << 20;

  /** Checks the sizes. */
  public TokenGrid {
    if (height < 1 || width < 1 || (long) height * width > MAX_CELLS) {
      throw new InvalidArgumentException(
          "grid",
          height
              + "x"
              + width
              + "; allowed are sizes of at least 1 and at most "
              + MAX_CELLS
              + " cells");
    }
  }

  /** Number of cells, L. */
  public int cells() {
    return height * width;
  }

  /** Index of the cell in a row and a column. */
  public int cell(int row, int column) {
    if (row < 0 || row >= height || column < 0 || column >= width) {
      throw new InvalidArgumentException(
          "cell", "(" + row + ", " + column + ") does not lie in the grid " + this);
    }
    return row * width + column;
  }

  /** Row of a cell. */
  public int row(int cell) {
    return check(cell) / width;
  }

  /** Column of a cell. */
  public int column(int cell) {
    return check(cell) % width;
  }

  private int check(int cell) {
    if (cell < 0 || cell >= cells()) {
      throw new InvalidArgumentException(
          "cell", cell + "; a grid of " + this + " has the cells 0 to " + (cells() - 1));
    }
    return cell;
  }

  /** Such as {@code 8x8}. */
  @Override
  public String toString() {
    return height + "x" + width;
  }
}
