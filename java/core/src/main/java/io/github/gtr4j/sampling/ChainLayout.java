package io.github.gtr4j.sampling;

import io.github.gtr4j.kernel.ChainArguments;
import java.util.Arrays;

/**
 * How the tokens of a decode step become the groups of one ragged chain: parts of images that share
 * number of diffusion steps and guidance form a group, and groups with more diffusion steps come
 * first. Reused from step to step.
 */
final class ChainLayout {
  private int parts;
  // Per part, in the order of the chain: sorted by this key, descending.
  private long[] keys = new long[8];
  private int[] counts = new int[8];
  private int[] starts = new int[8];

  private int groups;
  private int[] groupRows = new int[8];
  private int[] groupSteps = new int[8];
  private boolean[] groupGuided = new boolean[8];

  private static final int ADDED_BITS = 24;
  private static final long ADDED_MASK = (1L << ADDED_BITS) - 1;

  void clear() {
    parts = 0;
    groups = 0;
  }

  /** Adds a part, possibly without rows, and returns its number. */
  int add(int diffusionSteps, boolean guided, int rows) {
    if (parts == keys.length) {
      int capacity = 2 * parts;
      keys = Arrays.copyOf(keys, capacity);
      counts = Arrays.copyOf(counts, capacity);
      starts = Arrays.copyOf(starts, capacity);
      groupRows = Arrays.copyOf(groupRows, capacity);
      groupSteps = Arrays.copyOf(groupSteps, capacity);
      groupGuided = Arrays.copyOf(groupGuided, capacity);
    }
    // Parts that were added earlier come first among equals.
    keys[parts] =
        ((long) diffusionSteps << 1 | (guided ? 1 : 0)) << ADDED_BITS | (ADDED_MASK - parts);
    counts[parts] = rows;
    return parts++;
  }

  /** Orders the parts into groups. */
  void arrange() {
    Arrays.sort(keys, 0, parts);
    int row = 0;
    for (int i = parts - 1; i >= 0; i--) {
      int part = (int) (ADDED_MASK - (keys[i] & ADDED_MASK));
      int rows = counts[part];
      starts[part] = row;
      row += rows;
      if (rows == 0) {
        continue;
      }
      int steps = (int) (keys[i] >>> (ADDED_BITS + 1));
      boolean guided = (keys[i] >>> ADDED_BITS & 1) == 1;
      if (groups > 0 && groupSteps[groups - 1] == steps && groupGuided[groups - 1] == guided) {
        groupRows[groups - 1] += rows;
      } else {
        groupRows[groups] = rows;
        groupSteps[groups] = steps;
        groupGuided[groups] = guided;
        groups++;
      }
    }
  }

  /** The chain row of a part's first row. */
  int start(int part) {
    return starts[part];
  }

  int rows(int part) {
    return counts[part];
  }

  /** Puts the groups into a chain's arguments. */
  void fill(ChainArguments chain) {
    chain.clearGroups();
    for (int group = 0; group < groups; group++) {
      chain.addGroup(groupRows[group], groupSteps[group], groupGuided[group]);
    }
  }

  int groups() {
    return groups;
  }

  int groupRows(int group) {
    return groupRows[group];
  }

  int groupSteps(int group) {
    return groupSteps[group];
  }

  boolean groupGuided(int group) {
    return groupGuided[group];
  }
}
