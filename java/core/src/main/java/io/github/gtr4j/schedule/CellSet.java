package io.github.gtr4j.schedule;

import io.github.gtr4j.InvalidArgumentException;
import java.util.Arrays;
import java.util.BitSet;

/** An immutable set of cells of a grid. */
public final class CellSet {
  private final TokenGrid grid;
  private final BitSet cells;
  private final int size;

  private CellSet(TokenGrid grid, BitSet cells) {
    this.grid = grid;
    this.cells = cells;
    this.size = cells.cardinality();
  }

  /** Every cell of the grid. */
  public static CellSet all(TokenGrid grid) {
    BitSet cells = new BitSet(grid.cells());
    cells.set(0, grid.cells());
    return new CellSet(grid, cells);
  }

  /** The given cells; each of them once, in any order. */
  public static CellSet of(TokenGrid grid, int... cells) {
    BitSet set = new BitSet(grid.cells());
    for (int cell : cells) {
      if (cell < 0 || cell >= grid.cells()) {
        throw new InvalidArgumentException(
            "cells",
            cell
                + " is not a cell; a grid of "
                + grid
                + " has the cells 0 to "
                + (grid.cells() - 1));
      }
      if (set.get(cell)) {
        throw new InvalidArgumentException("cells", "cell " + cell + " occurs twice");
      }
      set.set(cell);
    }
    return new CellSet(grid, set);
  }

  /** The cells of the grid that are not in this set. */
  public CellSet complement() {
    BitSet others = (BitSet) cells.clone();
    others.flip(0, grid.cells());
    return new CellSet(grid, others);
  }

  /** The grid whose cells these are. */
  public TokenGrid grid() {
    return grid;
  }

  /** Number of cells in the set. */
  public int size() {
    return size;
  }

  /** Whether a cell is in the set. */
  public boolean contains(int cell) {
    return cell >= 0 && cells.get(cell);
  }

  /** Whether the set holds every cell of its grid. */
  public boolean isAll() {
    return size == grid.cells();
  }

  /** The cells, ascending. */
  public int[] toArray() {
    return cells.stream().toArray();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CellSet set && grid.equals(set.grid) && cells.equals(set.cells);
  }

  @Override
  public int hashCode() {
    return 31 * grid.hashCode() + cells.hashCode();
  }

  @Override
  public String toString() {
    return size + " of the cells of " + grid + (isAll() ? "" : " " + Arrays.toString(toArray()));
  }
}
