package io.github.gtr4j.binding;

import org.bytedeco.javacpp.Pointer;

/** The native side of a device. */
public abstract class NativeDevice extends NativeObject {
  private final gtr_device handle;

  /** Opens a device; every value is as in {@code gtr_device_options}. */
  protected NativeDevice(int backend, int index, int threads, int tier) {
    super(null);
    Natives.load();
    gtr_device_options options = Structs.deviceOptions();
    options.backend(backend).index(index).threads(threads).tier(tier);
    handle = new gtr_device((Pointer) null);
    Status.check(Gtr.gtr_device_open(options, handle));
  }

  /** The handle; the caller has acquired this object. */
  public final gtr_device handle() {
    return handle;
  }

  @Override
  protected void free() {
    Status.check(Gtr.gtr_device_close(handle));
  }
}
