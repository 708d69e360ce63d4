package io.github.gtr4j.binding;

import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/**
 * Base of everything that holds native memory and is freed by hand. Guards against the mistakes
 * that would otherwise crash the JVM: use after close is refused with the place where it was
 * closed, close in use is refused, a parent cannot be closed before its children, and closing twice
 * does nothing.
 */
public abstract class NativeObject implements AutoCloseable {
  private static final int CLOSED = Integer.MIN_VALUE;
  // Not VarHandles, which cost several times as much until the JIT's last tier has compiled their
  // callers: with a dozen
  // uses a call that would be felt in a program's first pictures.
  private static final AtomicIntegerFieldUpdater<NativeObject> USES =
      AtomicIntegerFieldUpdater.newUpdater(NativeObject.class, "uses");
  private static final AtomicIntegerFieldUpdater<NativeObject> CHILDREN =
      AtomicIntegerFieldUpdater.newUpdater(NativeObject.class, "children");
  private static final AtomicIntegerFieldUpdater<NativeObject> ENQUEUED =
      AtomicIntegerFieldUpdater.newUpdater(NativeObject.class, "enqueued");

  private final NativeObject parent;

  /**
   * Calls that use it now, each counted once, streams with enqueued calls that will, and live
   * children; CLOSED once closed.
   */
  private volatile int uses;

  private volatile int children;
  private volatile int enqueued;

  /** The operation that used it last: the one in the way of a close. */
  private volatile String operation = "another call";

  private volatile Throwable closedAt;

  /** An object that belongs to parent (null: to nobody), which cannot be closed before it. */
  protected NativeObject(NativeObject parent) {
    this.parent = parent;
    if (parent != null) {
      parent.addChild(this);
    }
  }

  /** What a person calls it, such as {@code "device cpu:0"}. */
  protected abstract String label();

  /** Frees the native side. Called once, and not again if it threw. */
  protected abstract void free();

  /** Counts a use by operation until {@link #release}. */
  public final void acquire(String operation) {
    int n;
    do {
      n = uses;
      if (n < 0) {
        throw closed(operation);
      }
    } while (!USES.compareAndSet(this, n, n + 1));
    this.operation = operation;
  }

  /** As {@link #acquire}, but refuses if another call uses it. */
  protected final void acquireAlone(String operation) {
    if (!USES.compareAndSet(this, 0, 1)) {
      if (uses < 0) {
        throw closed(operation);
      }
      throw new IllegalStateException(
          operation + ": " + label() + " is in use by " + this.operation + " on another thread");
    }
    this.operation = operation;
  }

  /** Ends a use. */
  public final void release() {
    USES.getAndAdd(this, -1);
  }

  /** Turns a use into one that lasts until a stream {@link #passed} it. */
  final void enqueued() {
    ENQUEUED.getAndAdd(this, 1);
  }

  /** Ends the use of a stream. */
  final void passed() {
    ENQUEUED.getAndAdd(this, -1);
    release();
  }

  /** Throws if an enqueued call uses it. For calls without a stream that change it. */
  protected final void requirePassed(String operation) {
    if (enqueued > 0) {
      throw new IllegalStateException(operation + ": " + label() + ": " + awaited());
    }
  }

  /** Throws if it was closed. For calls that cannot collide with a close, such as getters. */
  protected final void requireOpen(String operation) {
    if (uses < 0) {
      throw closed(operation);
    }
  }

  /** Whether it was closed. */
  public final boolean isClosed() {
    return uses < 0;
  }

  /**
   * Frees the native memory. Does nothing if it was closed before.
   *
   * @throws IllegalStateException if a call uses it, a call that uses it was enqueued on a stream
   *     that was not synchronized since, or something that belongs to it is open
   */
  @Override
  public void close() {
    while (!USES.compareAndSet(this, 0, CLOSED)) {
      int seen = uses;
      if (seen < 0) {
        return;
      }
      if (seen > 0) {
        throw new IllegalStateException("cannot close " + label() + ": " + obstacle(seen));
      }
    }
    closedAt = new Throwable(label() + " was closed here");
    try {
      free();
    } finally {
      if (parent != null) {
        parent.removeChild();
      }
    }
  }

  /** For a whole whose parts are closed with it: throws if this part could not be closed now. */
  protected final void requireUnused(NativeObject part) {
    int seen = part.uses;
    if (seen > 0) {
      throw new IllegalStateException(
          "cannot close " + label() + ": its " + part.label() + ": " + part.obstacle(seen));
    }
  }

  /**
   * What was in the way of a close that found that many uses. Counts only those: another thread may
   * have ended them since, and then the counters would say that nothing was.
   */
  private String obstacle(int seen) {
    int pending = enqueued;
    int open = children;
    if (seen > open + pending) {
      return "in use by " + operation;
    }
    if (pending > 0) {
      return awaited();
    }
    return "still open of it: " + open + " streams, buffers or weights";
  }

  private String awaited() {
    return "in use by " + operation + ", which is enqueued; synchronize its stream first";
  }

  /** Undoes the constructor's registration when the native side could not be made. */
  protected final void abandon() {
    uses = CLOSED;
    if (parent != null) {
      parent.removeChild();
    }
  }

  private void addChild(NativeObject child) {
    acquire("opening " + child.getClass().getSimpleName());
    CHILDREN.getAndAdd(this, 1);
  }

  private void removeChild() {
    CHILDREN.getAndAdd(this, -1);
    release();
  }

  private IllegalStateException closed(String operation) {
    return new IllegalStateException(operation + ": " + label() + " is closed", closedAt);
  }

  @Override
  public String toString() {
    return isClosed() ? label() + " (closed)" : label();
  }
}
