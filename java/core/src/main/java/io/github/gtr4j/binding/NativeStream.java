package io.github.gtr4j.binding;

import org.bytedeco.javacpp.Pointer;

/** The native side of a stream, and the call that runs on it. */
public abstract class NativeStream extends NativeObject {
  private final gtr_stream handle;
  private final Call call;
  private final Object cancelling = new Object();
  private Object listener;

  /** Creates a stream, or wraps the external one at that address. */
  protected NativeStream(NativeDevice device, long external) {
    super(device);
    handle = new gtr_stream((Pointer) null);
    call = new Call(this);
    try {
      Pointer other = external == 0 ? null : new Address(external, 0);
      Status.check(Gtr.gtr_stream_create(device.handle(), other, handle));
    } catch (Throwable e) {
      abandon();
      throw e;
    }
  }

  /**
   * Begins a call. A stream belongs to one thread at a time, so its call object is reused and costs
   * no allocation. The caller ends it, whatever happens.
   */
  public final Call begin(String operation) {
    acquireAlone(operation);
    call.start(operation);
    return call;
  }

  /** Cancels, from any thread. */
  protected final void cancelNative() {
    synchronized (cancelling) { // a close meanwhile would free the handle
      requireOpen("cancel");
      Status.check(Gtr.gtr_stream_cancel(handle));
    }
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
      Status.check(Gtr.gtr_stream_destroy(handle));
    }
  }
}
