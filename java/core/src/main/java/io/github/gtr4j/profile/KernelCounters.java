package io.github.gtr4j.profile;

import io.github.gtr4j.kernel.KernelListener;
import io.github.gtr4j.kernel.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Adds up what each operation does. Can listen to any number of streams at once; allocates nothing
 * while it does.
 */
public final class KernelCounters implements KernelListener {
  private static final int CALLS = 0;
  private static final int ROWS = 1;
  private static final int FLOPS = 2;
  private static final int BYTES = 3;
  private static final int NANOSECONDS = 4;
  private static final int FIELDS = 5;

  private final Operation[] operations = Operation.values();
  private final AtomicLongArray sums = new AtomicLongArray(operations.length * FIELDS);

  /** Counters at zero. */
  public KernelCounters() {}

  @Override
  public void completed(Operation operation, long rows, long flops, long bytes, long nanoseconds) {
    int at = operation.ordinal() * FIELDS;
    sums.getAndAdd(at + CALLS, 1);
    sums.getAndAdd(at + ROWS, rows);
    sums.getAndAdd(at + FLOPS, flops);
    sums.getAndAdd(at + BYTES, bytes);
    sums.getAndAdd(at + NANOSECONDS, nanoseconds);
  }

  /** What one operation did. */
  public KernelCount count(Operation operation) {
    int at = operation.ordinal() * FIELDS;
    return new KernelCount(
        operation,
        sums.get(at + CALLS),
        sums.get(at + ROWS),
        sums.get(at + FLOPS),
        sums.get(at + BYTES),
        sums.get(at + NANOSECONDS));
  }

  /** What every operation that ran did, in the order of {@link Operation}. */
  public List<KernelCount> counts() {
    List<KernelCount> counts = new ArrayList<>();
    for (Operation operation : operations) {
      KernelCount count = count(operation);
      if (count.calls() > 0) {
        counts.add(count);
      }
    }
    return counts;
  }

  /** Sets everything back to zero. Not while it listens. */
  public void reset() {
    for (int i = 0; i < sums.length(); i++) {
      sums.set(i, 0);
    }
  }
}
