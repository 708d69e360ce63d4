package io.github.gtr4j.binding;

import org.bytedeco.javacpp.Pointer;

/** The native side of a device. */
public abstract class NativeDevice extends NativeObject {
  private final gtr_device handle;
  private final gtr_device_info description;
  private final boolean asynchronous;

  /** Opens a device; every value is as in {@code gtr_device_options}. */
  protected NativeDevice(int backend, int index, int threads, int tier) {
    super(null);
    Natives.load(); // before the classes of structs do it, whose failures say less
    description = Structs.deviceInfo();
    gtr_device_options options = Structs.deviceOptions();
    options.backend(backend).index(index).threads(threads).tier(tier);
    handle = new gtr_device((Pointer) null);
    Status.check(Gtr.gtr_device_open(options, handle));
    Status.check(Gtr.gtr_device_get_info(handle, description)); // fails for null alone
    asynchronous = description.backend() != Gtr.GTR_BACKEND_CPU;
  }

  /** The handle; the caller has acquired this object. */
  public final gtr_device handle() {
    return handle;
  }

  /** What it is. */
  protected final gtr_device_info description() {
    return description;
  }

  /** Whether calls on its streams return when they are enqueued, not when they are done. */
  public final boolean isAsynchronous() {
    return asynchronous;
  }

  @Override
  protected void free() {
    Status.check(Gtr.gtr_device_close(handle));
  }
}
