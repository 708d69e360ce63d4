package io.github.gtr4j.kernel;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.binding.Call;
import io.github.gtr4j.binding.Structs;
import io.github.gtr4j.binding.gtr_chain;
import io.github.gtr4j.binding.gtr_chain_group;
import io.github.gtr4j.device.Tensor;

/**
 * What a ragged chain runs on: groups of rows that have the same number of reverse steps, and one
 * entry per place for everything else. Row r of the groups, counted through, is the token at
 * place[r]. Reusable, so that a decode step allocates nothing; belongs to one thread at a time.
 */
public final class ChainArguments {
  private static final String OPERATION = "chain_arguments";

  private final gtr_chain chain = Structs.chain();
  private final gtr_chain_group groups;
  private final gtr_chain_group cursor;
  private final int capacity;
  private int groupCount;
  private long rows;
  private long rowSteps;
  private long guidedRowSteps;
  private boolean guided;

  private Tensor place;
  private Tensor z;
  private Tensor zUnconditional;
  private Tensor seed;
  private Tensor image;
  private Tensor cell;
  private Tensor cfg;
  private Tensor temperature;

  /** Arguments with room for that many groups. */
  public ChainArguments(int groupCapacity) {
    Arguments.atLeast(OPERATION, "group_capacity", groupCapacity, 1);
    capacity = groupCapacity;
    groups = Structs.chainGroups(groupCapacity);
    cursor = new gtr_chain_group(groups);
    chain.groups(groups);
  }

  /** Removes all groups. */
  public ChainArguments clearGroups() {
    groupCount = 0;
    rows = 0;
    rowSteps = 0;
    guidedRowSteps = 0;
    guided = false;
    return this;
  }

  /** Adds a group; steps must not ascend from one to the next. */
  public ChainArguments addGroup(ChainGroup group) {
    return addGroup(group.rows(), group.steps(), group.guided());
  }

  /** As {@link #addGroup(ChainGroup)}. */
  public ChainArguments addGroup(int rows, int steps, boolean guided) {
    if (groupCount == capacity) {
      throw new InvalidArgumentException(
          OPERATION, "groups", "groups are full; allowed are " + capacity);
    }
    Arguments.within(OPERATION, "rows", rows, 1, Integer.MAX_VALUE);
    Arguments.within(OPERATION, "steps", steps, 1, 1000);
    if (groupCount > 0) {
      cursor.position(groupCount - 1L);
      Arguments.within(OPERATION, "steps", steps, 1, cursor.steps());
    }
    cursor.position(groupCount);
    cursor.rows(rows).steps(steps).guided(guided ? 1 : 0);
    groupCount++;
    this.rows += rows;
    rowSteps += (long) rows * steps;
    if (guided) {
      guidedRowSteps += (long) rows * steps;
      this.guided = true;
    }
    return this;
  }

  /** I32 [rows], distinct: where the tokens are; null: row r is at r. */
  public ChainArguments place(Tensor place) {
    this.place = place;
    return this;
  }

  /** [P, D] float: condition vectors. */
  public ChainArguments z(Tensor z) {
    this.z = z;
    return this;
  }

  /** [P, D] float: condition vectors of the unconditional half; null if no group is guided. */
  public ChainArguments zUnconditional(Tensor zUnconditional) {
    this.zUnconditional = zUnconditional;
    return this;
  }

  /** U64 [P], stride 0 broadcasts; likewise the next three. */
  public ChainArguments seed(Tensor seed) {
    this.seed = seed;
    return this;
  }

  /** U32 [P]. */
  public ChainArguments image(Tensor image) {
    this.image = image;
    return this;
  }

  /** U32 [P]. */
  public ChainArguments cell(Tensor cell) {
    this.cell = cell;
    return this;
  }

  /** [P] float, finite and not negative: the guidance scale; null if no group is guided. */
  public ChainArguments cfg(Tensor cfg) {
    this.cfg = cfg;
    return this;
  }

  /** [P] float, finite and not negative: factor of the noise of reverse steps. */
  public ChainArguments temperature(Tensor temperature) {
    this.temperature = temperature;
    return this;
  }

  /** x₀ is clipped to ±x0Clip; 0: no clipping. */
  public ChainArguments x0Clip(double x0Clip) {
    if (!(x0Clip >= 0 && x0Clip < Double.POSITIVE_INFINITY)) {
      throw new InvalidArgumentException(
          OPERATION, "x0_clip", "x0_clip is " + x0Clip + "; allowed are finite numbers from 0");
    }
    chain.x0_clip(x0Clip);
    return this;
  }

  /**
   * Most memory for modulations that are computed ahead; 0: 256 MiB. It changes no bit of the
   * result.
   */
  public ChainArguments modulationBytes(long modulationBytes) {
    Arguments.atLeast(OPERATION, "modulation_bytes", modulationBytes, 0);
    chain.modulation_bytes(modulationBytes);
    return this;
  }

  /** Rows of all groups. */
  public long rows() {
    return rows;
  }

  /** Reverse steps of all rows, those of the unconditional half included. */
  long headRows() {
    return rowSteps + guidedRowSteps;
  }

  /**
   * Reverse steps of the rows that run at a table index, those of the unconditional half included.
   */
  long headRowsAt(int index) {
    long n = 0;
    for (int i = 0; i < groupCount; i++) {
      cursor.position(i);
      if (cursor.steps() > index) {
        n += (long) cursor.rows() * (cursor.guided() != 0 ? 2 : 1);
      }
    }
    return n;
  }

  /** Passes over the weights: the most steps of any row. */
  int passes() {
    cursor.position(0);
    return groupCount == 0 ? 0 : cursor.steps();
  }

  void checkGroups(String operation) {
    if (groupCount == 0) {
      throw Arguments.refuse(operation, "groups", "groups are empty; allowed are 1 and more");
    }
  }

  /** Checks everything against the head's sizes and tells how many places there are. */
  long check(String operation, HeadShape shape) {
    checkGroups(operation);
    Arguments.matrix(operation, "z", z, Arguments.F32, Arguments.ANY, shape.condition());
    long places = z.shape(0);
    if (places < rows) {
      throw Arguments.refuse(
          operation, "z", "z has " + places + " rows; allowed are " + rows + " and more");
    }
    if (place != null) {
      Arguments.vector(operation, "place", place, Arguments.I32, rows);
    }
    if (guided || zUnconditional != null) {
      Arguments.matrix(
          operation, "z_unconditional", zUnconditional, Arguments.F32, places, shape.condition());
    }
    if (guided || cfg != null) {
      Arguments.vector(operation, "cfg", cfg, Arguments.F32, places);
    }
    Arguments.vector(operation, "seed", seed, Arguments.U64, places);
    Arguments.vector(operation, "image", image, Arguments.U32, places);
    Arguments.vector(operation, "cell", cell, Arguments.U32, places);
    Arguments.vector(operation, "temperature", temperature, Arguments.F32, places);
    return places;
  }

  /** The struct with every tensor pinned by the call. */
  gtr_chain pinned(Call call) {
    return chain
        .group_count(groupCount)
        .place(call.tensor("place", place))
        .z(call.tensor("z", z))
        .z_unconditional(call.tensor("z_unconditional", zUnconditional))
        .seed(call.tensor("seed", seed))
        .image(call.tensor("image", image))
        .cell(call.tensor("cell", cell))
        .cfg(call.tensor("cfg", cfg))
        .temperature(call.tensor("temperature", temperature));
  }

  /** The struct for a call that looks at groups only. */
  gtr_chain groupsAlone() {
    return chain
        .group_count(groupCount)
        .place(null)
        .z(null)
        .z_unconditional(null)
        .seed(null)
        .image(null)
        .cell(null)
        .cfg(null)
        .temperature(null);
  }

  /** The struct for a call that looks at sizes only. */
  gtr_chain sizes() {
    return chain
        .group_count(groupCount)
        .place(place == null ? null : place.descriptor())
        .z(z.descriptor())
        .z_unconditional(zUnconditional == null ? null : zUnconditional.descriptor())
        .seed(seed.descriptor())
        .image(image.descriptor())
        .cell(cell.descriptor())
        .cfg(cfg == null ? null : cfg.descriptor())
        .temperature(temperature.descriptor());
  }
}
