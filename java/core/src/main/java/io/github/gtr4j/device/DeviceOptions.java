package io.github.gtr4j.device;

/**
 * Which device to open, and how.
 *
 * @param backend what computes
 * @param index which device of the backend; the CPU has only 0
 * @param threads CPU: threads that work on one call, the caller's included, 1 to 1024; 0: the
 *     environment variable {@code GTR_THREADS}, or else as many as affinity and the container's CPU
 *     quota allow
 * @param tier CPU: its instruction set
 */
public record DeviceOptions(Backend backend, int index, int threads, CpuTier tier) {
  /** The CPU with its defaults. */
  public static DeviceOptions cpu() {
    return new DeviceOptions(Backend.CPU, 0, 0, CpuTier.AUTO);
  }

  /** An NVIDIA GPU. */
  public static DeviceOptions cuda(int index) {
    return new DeviceOptions(Backend.CUDA, index, 0, CpuTier.AUTO);
  }

  /** The best backend that works here. */
  public static DeviceOptions auto() {
    return new DeviceOptions(Backend.AUTO, 0, 0, CpuTier.AUTO);
  }

  /** The same with that many threads. */
  public DeviceOptions withThreads(int threads) {
    return new DeviceOptions(backend, index, threads, tier);
  }

  /** The same with that tier. */
  public DeviceOptions withTier(CpuTier tier) {
    return new DeviceOptions(backend, index, threads, tier);
  }

  /** The same with that index. */
  public DeviceOptions withIndex(int index) {
    return new DeviceOptions(backend, index, threads, tier);
  }
}
