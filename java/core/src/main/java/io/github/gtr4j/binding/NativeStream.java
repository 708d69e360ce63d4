package io.github.gtr4j.binding;

import io.github.gtr4j.CancelledException;
import org.bytedeco.javacpp.Pointer;

/** The native side of a stream, and the call that runs on it. */
public abstract class NativeStream extends NativeObject {
  private final NativeDevice device;
  private final gtr_stream handle;
  private final Object external;
  private final InFlight inFlight;
  private final Call call;
  private final Object cancelling = new Object();
  private Object listener;

  /** Whether a call was enqueued since the last wait. */
  private boolean busy;

  /**
   * Creates a stream, or wraps an external one.
   *
   * @param address of the external one; 0 to create one
   * @param external what keeps the external one valid while it is reachable, or null
   */
  protected NativeStream(NativeDevice device, long address, Object external) {
    super(device);
    this.device = device;
    this.external = external;
    handle = new gtr_stream((Pointer) null);
    inFlight = device.isAsynchronous() ? new InFlight() : null;
    call = new Call(this, inFlight);
    try {
      Pointer other = address == 0 ? null : new Address(address, 0);
      Status.check(Gtr.gtr_stream_create(device.handle(), other, handle));
    } catch (Throwable e) {
      abandon();
      throw e;
    }
  }

  /**
   * Begins a call. A stream belongs to one thread at a time, so its call object is reused and costs
   * no allocation. The caller ends it, whatever happens. Where calls return when they are enqueued,
   * this waits for the earlier ones if there is no room to hold what one more uses.
   */
  public final Call begin(String operation) {
    acquireAlone(operation);
    if (inFlight != null && !inFlight.hasRoomFor(2 * Call.MOST)) {
      try {
        await();
      } catch (Throwable e) {
        release();
        throw e;
      }
    }
    call.start(operation);
    return call;
  }

  /** Waits for everything that was enqueued. */
  protected final void synchronizeNative(String operation) {
    acquireAlone(operation);
    try {
      await();
    } finally {
      release();
    }
  }

  /**
   * Whether there is nothing to wait for: no call was enqueued since the last {@link
   * #synchronizeNative}. Always where calls return when they are done.
   */
  protected final boolean hasPassedAll() {
    return !busy;
  }

  private void await() {
    int status = Gtr.gtr_stream_synchronize(handle);
    if (status != Gtr.GTR_ERROR_BUSY) {
      // Whatever failed: nothing runs any more.
      busy = false;
      if (inFlight != null) {
        inFlight.clear();
      }
    }
    Status.check(status);
  }

  final void noteEnqueued() {
    busy = true;
  }

  /** Cancels, from any thread. */
  protected final void cancelNative() {
    synchronized (cancelling) { // a close meanwhile would free the handle
      requireOpen("cancel");
      Status.check(Gtr.gtr_stream_cancel(handle));
    }
  }

  /** The device it belongs to. */
  final NativeDevice device() {
    return device;
  }

  final gtr_stream handle() {
    return handle;
  }

  /** What the kernel package keeps here: its listener, or null. */
  public final Object listener() {
    return listener;
  }

  /** Keeps the kernel package's listener. */
  public final void listener(Object listener) {
    this.listener = listener;
  }

  @Override
  protected void free() {
    synchronized (cancelling) {
      try {
        if (busy) {
          await();
        }
      } catch (CancelledException e) {
        // Who cancelled knows.
      } finally {
        Status.check(Gtr.gtr_stream_destroy(handle));
      }
    }
  }
}
