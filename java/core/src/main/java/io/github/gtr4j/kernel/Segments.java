package io.github.gtr4j.kernel;

import io.github.gtr4j.binding.Structs;
import io.github.gtr4j.binding.gtr_segment;

/**
 * The segments of a {@link TopFraction} call: one image's rows each. Reusable; belongs to one
 * thread at a time.
 */
public final class Segments {
  private final int capacity;
  private final gtr_segment first;
  private final gtr_segment cursor;
  private int size;

  /** Room for that many segments. */
  public Segments(int capacity) {
    Arguments.atLeast("segments", "capacity", capacity, 1);
    this.capacity = capacity;
    this.first = Structs.segments(capacity);
    this.cursor = new gtr_segment(first);
  }

  /** Removes all. */
  public void clear() {
    size = 0;
  }

  /**
   * Adds one.
   *
   * @param firstRow its rows are firstRow to firstRow + count − 1
   * @param count how many rows it has
   * @param selected how many of them to select, 0 to count
   * @param selectedAt the selected rows go to place[selectedAt …], in ascending order of row
   * @param restAt the others go to place[restAt …], likewise
   */
  public void add(int firstRow, int count, int selected, int selectedAt, int restAt) {
    if (size == capacity) {
      throw Arguments.refuse("segments", "segments", "segments are full; allowed are " + capacity);
    }
    cursor.position(size);
    cursor.first(firstRow).count(count).selected(selected).selected_at(selectedAt).rest_at(restAt);
    size++;
  }

  /** How many there are. */
  public int size() {
    return size;
  }

  gtr_segment handle() {
    return first;
  }
}
