package io.github.gtr4j.cli;

import java.util.List;

/**
 * The images to draw.
 *
 * @param labels their classes: image k has label k modulo the length; {@link #NO_LABEL} is none
 * @param names the classes' names
 * @param count number of images
 * @param first index of the first
 * @param seed all 64 bits count
 */
record Images(int[] labels, List<String> names, int count, long first, long seed) {
  /** Stands for a sample without a class. */
  static final int NO_LABEL = -1;

  private static final int COMFORTABLE_COLUMNS = 10;

  int label(int k) {
    return labels[k % labels.length];
  }

  String name(int k) {
    return names.get(k % labels.length);
  }

  /** Whether any of them has a class, so that it can be guided. */
  boolean anyLabel() {
    for (int label : labels) {
      if (label != NO_LABEL) {
        return true;
      }
    }
    return false;
  }

  /** Columns of a contact sheet: classes stand below each other where they recur. */
  int columns() {
    boolean recur = labels.length > 1 && labels.length <= 2 * COMFORTABLE_COLUMNS;
    return Math.min(count, recur ? labels.length : COMFORTABLE_COLUMNS);
  }
}
