package io.github.gtr4j.model;

import io.github.gtr4j.InvalidArgumentException;

/**
 * What a workspace has room for.
 *
 * @param images images whose known tokens it keeps, 1 or more
 * @param sequences sequences of one batch: one per image, and another one if the image is guided
 * @param rows condition vectors of one batch, and whatever the caller lays out behind them
 */
public record WorkspaceSize(int images, int sequences, int rows) {
  /** Checks the values. */
  public WorkspaceSize {
    check("images", images);
    check("sequences", sequences);
    check("rows", rows);
  }

  private static void check(String argument, int value) {
    if (value < 1) {
      throw new InvalidArgumentException(argument, value + "; allowed are numbers from 1 on");
    }
  }

  /** The larger of each. */
  public WorkspaceSize max(WorkspaceSize other) {
    return new WorkspaceSize(
        Math.max(images, other.images),
        Math.max(sequences, other.sequences),
        Math.max(rows, other.rows));
  }

  /** Whether everything that fits into the other one fits into this. */
  public boolean covers(WorkspaceSize other) {
    return max(other).equals(this);
  }
}
