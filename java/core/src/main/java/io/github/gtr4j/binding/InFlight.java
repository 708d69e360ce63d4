package io.github.gtr4j.binding;

/**
 * What the calls that were enqueued on a stream use, until the stream has passed them: handles and
 * buffers, which cannot be closed meanwhile, and wrapped memory, which stays reachable. Each is
 * held once, however many calls use it. The room is fixed, so that holding costs no allocation and
 * a stream that is never synchronized does not gather garbage for ever.
 */
final class InFlight {
  /** Most that is held: some times what a decode step of the largest MAR model uses. */
  static final int MOST = 1024;

  /** A hash table with linear probing; at most a quarter of it is ever full. */
  private final Object[] slots = new Object[4 * MOST];

  private final int[] taken = new int[MOST];
  private int count;

  /** Whether that many more fit, even if none of them is held yet. */
  boolean hasRoomFor(int more) {
    return count <= MOST - more;
  }

  /** Holds an object that the caller has acquired, and takes the acquisition over. */
  void hold(NativeObject object) {
    if (add(object)) {
      object.enqueued();
    } else {
      object.release();
    }
  }

  /** Keeps something reachable. */
  void keep(Object wrapped) {
    add(wrapped);
  }

  private boolean add(Object object) {
    int slot = System.identityHashCode(object) & (slots.length - 1);
    while (slots[slot] != null) {
      if (slots[slot] == object) {
        return false;
      }
      slot = (slot + 1) & (slots.length - 1);
    }
    slots[slot] = object;
    taken[count++] = slot;
    return true;
  }

  /** The stream has passed everything. */
  void clear() {
    for (int i = 0; i < count; i++) {
      if (slots[taken[i]] instanceof NativeObject object) {
        object.passed();
      }
      slots[taken[i]] = null;
    }
    count = 0;
  }
}
