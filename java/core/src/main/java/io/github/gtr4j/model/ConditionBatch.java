package io.github.gtr4j.model;

import io.github.gtr4j.InvalidArgumentException;
import java.util.Arrays;

/**
 * Which condition vectors to compute: sequences of one model, each with its own label, known tokens
 * and cells that are wanted. Sequences at different decode steps share a batch, and so do the
 * conditional and the unconditional half of a guided one. A sequence's vectors do not depend, to
 * the last bit, on the others.
 *
 * <p>The caller fills it, hands it to {@link MarWorkspace#compute}, and clears it for the next one;
 * nothing is allocated once its arrays have grown to their size. For one thread.
 */
public final class ConditionBatch {
  private final int tokens;
  private final int classes;

  private int sequences;
  private int[] labels = new int[8];
  private int[] slots = new int[8];
  private int[] knownEnds = new int[8];
  private int[] wantedEnds = new int[8];
  private int[] known = new int[64];
  private int[] wanted = new int[64];

  /** A batch, empty at first, for models with this configuration. */
  public ConditionBatch(MarConfiguration configuration) {
    tokens = configuration.tokens();
    classes = configuration.classes();
  }

  /** Removes all sequences. */
  public void clear() {
    sequences = 0;
  }

  /**
   * Adds a sequence.
   *
   * @param label class 0 to classes − 1, or −1 for the sequence without a class
   * @param slot where its known tokens lie in the workspace, see {@link MarWorkspace#putTokens}
   * @param knownCells cells whose tokens are known, ascending
   * @param wantedCells cells whose condition vectors are computed, in this order; at least one, and
   *     at most as many as the grid has
   */
  public void add(int label, int slot, int[] knownCells, int[] wantedCells) {
    add(label, slot, knownCells, knownCells.length, wantedCells, 0, wantedCells.length);
  }

  /**
   * Adds a sequence whose cells are parts of arrays.
   *
   * @param label class 0 to classes − 1, or −1 for the sequence without a class
   * @param slot where its known tokens lie in the workspace
   * @param knownCells begins with the cells whose tokens are known, ascending
   * @param knownCount how many those are
   * @param wantedCells holds the cells whose condition vectors are computed
   * @param wantedFrom index of the first of them
   * @param wantedCount how many those are, 1 to the number of cells
   */
  public void add(
      int label,
      int slot,
      int[] knownCells,
      int knownCount,
      int[] wantedCells,
      int wantedFrom,
      int wantedCount) {
    if (label < -1 || label >= classes) {
      throw new InvalidArgumentException(
          "label", label + "; allowed 0 to " + (classes - 1) + ", or -1 for none");
    }
    if (slot < 0) {
      throw new InvalidArgumentException("slot", slot + "; allowed are numbers >= 0");
    }
    if (wantedCount < 1 || wantedCount > tokens) {
      throw new InvalidArgumentException(
          "wantedCells", wantedCount + " cells; allowed 1 to " + tokens);
    }
    for (int i = 0; i < knownCount; i++) {
      check("knownCells", knownCells[i]);
      if (i > 0 && knownCells[i] <= knownCells[i - 1]) {
        throw new InvalidArgumentException(
            "knownCells", knownCells[i] + " after " + knownCells[i - 1] + "; must ascend");
      }
    }
    for (int i = 0; i < wantedCount; i++) {
      check("wantedCells", wantedCells[wantedFrom + i]);
    }
    int knownBegin = knownBegin(sequences);
    int wantedBegin = wantedBegin(sequences);
    if (sequences == labels.length) {
      int capacity = 2 * sequences;
      labels = Arrays.copyOf(labels, capacity);
      slots = Arrays.copyOf(slots, capacity);
      knownEnds = Arrays.copyOf(knownEnds, capacity);
      wantedEnds = Arrays.copyOf(wantedEnds, capacity);
    }
    known = grown(known, knownBegin + knownCount);
    wanted = grown(wanted, wantedBegin + wantedCount);
    System.arraycopy(knownCells, 0, known, knownBegin, knownCount);
    System.arraycopy(wantedCells, wantedFrom, wanted, wantedBegin, wantedCount);
    labels[sequences] = label;
    slots[sequences] = slot;
    knownEnds[sequences] = knownBegin + knownCount;
    wantedEnds[sequences] = wantedBegin + wantedCount;
    sequences++;
  }

  private void check(String argument, int cell) {
    if (cell < 0 || cell >= tokens) {
      throw new InvalidArgumentException(argument, cell + "; allowed 0 to " + (tokens - 1));
    }
  }

  private static int[] grown(int[] array, int size) {
    return size <= array.length ? array : Arrays.copyOf(array, Math.max(size, 2 * array.length));
  }

  /** Number of sequences. */
  public int sequences() {
    return sequences;
  }

  /** Number of condition vectors, those of all sequences. */
  public int rows() {
    return wantedBegin(sequences);
  }

  int tokens() {
    return tokens;
  }

  int classes() {
    return classes;
  }

  int label(int sequence) {
    return labels[sequence];
  }

  int slot(int sequence) {
    return slots[sequence];
  }

  /** Index in {@link #known} of a sequence's first known cell, and the end of the one before. */
  int knownBegin(int sequence) {
    return sequence == 0 ? 0 : knownEnds[sequence - 1];
  }

  /** Index in {@link #wanted} of a sequence's first wanted cell, and the end of the one before. */
  int wantedBegin(int sequence) {
    return sequence == 0 ? 0 : wantedEnds[sequence - 1];
  }

  int knownCount(int sequence) {
    return knownEnds[sequence] - knownBegin(sequence);
  }

  int wantedCount(int sequence) {
    return wantedEnds[sequence] - wantedBegin(sequence);
  }

  int known(int index) {
    return known[index];
  }

  int wanted(int index) {
    return wanted[index];
  }
}
