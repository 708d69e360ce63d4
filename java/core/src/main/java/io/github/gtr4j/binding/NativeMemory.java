package io.github.gtr4j.binding;

/** The native side of memory that a device allocated, and who can reach it. */
public abstract class NativeMemory extends NativeObject {
  private final NativeDevice device;
  private final boolean onHost;

  /**
   * Memory of a device.
   *
   * @param onHost whether it was allocated for the host to read
   */
  protected NativeMemory(NativeDevice device, boolean onHost) {
    super(device);
    this.device = device;
    this.onHost = onHost;
  }

  /** Whether Java, and so the CPU's kernels, can read and write it. */
  protected final boolean isReachableByHost() {
    return onHost || !device.isAsynchronous();
  }

  /** Whether kernels of a GPU can: its own memory, and pinned memory of any GPU. */
  final boolean isReachableBy(NativeDevice gpu) {
    return device == gpu || (onHost && device.isAsynchronous());
  }

  /** Such as {@code "memory of device cuda:0"}. */
  final String place() {
    return "memory of " + device.label();
  }
}
