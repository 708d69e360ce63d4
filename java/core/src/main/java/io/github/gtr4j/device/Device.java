package io.github.gtr4j.device;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.binding.Gtr;
import io.github.gtr4j.binding.NativeDevice;
import io.github.gtr4j.binding.Natives;
import io.github.gtr4j.binding.Status;
import io.github.gtr4j.binding.Structs;
import io.github.gtr4j.binding.gtr_device_info;
import io.github.gtr4j.binding.gtr_memory_stats;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Something that computes. Any number of threads may use a device; the caller closes it, after
 * everything that was made from it.
 */
public final class Device extends NativeDevice {
  private static final System.Logger LOGGER = System.getLogger(Device.class.getName());

  private final DeviceInfo info;

  private Device(DeviceOptions options) {
    super(options.backend().code(), options.index(), options.threads(), options.tier().code());
    info = readInfo();
    LOGGER.log(System.Logger.Level.DEBUG, "{0}: {1}", label(), info.reason());
  }

  /**
   * Opens a device.
   *
   * @throws io.github.gtr4j.NoDeviceException if it does not exist here; only {@link Backend#AUTO}
   *     falls back
   * @throws io.github.gtr4j.InvalidArgumentException if an option has a value that is not allowed
   */
  public static Device open(DeviceOptions options) {
    require("options", options);
    require("backend", options.backend());
    require("tier", options.tier());
    return new Device(options);
  }

  private static void require(String argument, Object value) {
    if (value == null) {
      throw new InvalidArgumentException("device_open", argument, argument + " is null");
    }
  }

  /** Opens the CPU with its defaults. */
  public static Device cpu() {
    return open(DeviceOptions.cpu());
  }

  /** Opens the best backend that works here. */
  public static Device auto() {
    return open(DeviceOptions.auto());
  }

  /** Looks what there is on this machine, without opening anything. */
  public static List<BackendReport> list() {
    Natives.load();
    List<BackendReport> reports = new ArrayList<>();
    for (Backend backend : List.of(Backend.CPU, Backend.CUDA)) {
      int[] count = new int[1];
      byte[] detail = new byte[512];
      Status.check(Gtr.gtr_device_count(backend.code(), count, detail, detail.length));
      Set<CpuTier> tiers = EnumSet.noneOf(CpuTier.class);
      if (backend == Backend.CPU) {
        for (CpuTier tier : CpuTier.values()) {
          if (tier != CpuTier.AUTO && tier.isAvailable()) {
            tiers.add(tier);
          }
        }
      }
      reports.add(new BackendReport(backend, count[0], text(detail), tiers));
    }
    return reports;
  }

  private DeviceInfo readInfo() {
    gtr_device_info info = Structs.deviceInfo();
    Status.check(Gtr.gtr_device_get_info(handle(), info));
    return new DeviceInfo(
        Backend.of(info.backend()),
        info.index(),
        info.threads(),
        CpuTier.of(info.tier()),
        info.memory_total(),
        info.name().getString(StandardCharsets.UTF_8),
        info.reason().getString(StandardCharsets.UTF_8));
  }

  private static String text(byte[] zeroTerminated) {
    int length = 0;
    while (length < zeroTerminated.length && zeroTerminated[length] != 0) {
      length++;
    }
    return new String(zeroTerminated, 0, length, StandardCharsets.UTF_8);
  }

  /** What it is; also after it was closed. */
  public DeviceInfo info() {
    return info;
  }

  /** Makes a stream; the caller closes it. */
  public Stream newStream() {
    return new Stream(this, 0);
  }

  /**
   * Wraps a stream that another library owns and that outlives this one; closing it leaves the
   * external one alone.
   *
   * @param external its handle: a {@code cudaStream_t}. The CPU has no streams of others
   */
  public Stream wrapStream(long external) {
    return new Stream(this, external);
  }

  /** Allocates memory on the device; the caller closes it. */
  public DeviceBuffer allocate(long bytes) {
    return allocate(MemorySpace.DEVICE, bytes);
  }

  /**
   * Allocates memory, aligned to 64 bytes, its contents undefined; the caller closes it.
   *
   * @throws io.github.gtr4j.OutOfNativeMemoryException if there is not so much
   */
  public DeviceBuffer allocate(MemorySpace space, long bytes) {
    return new DeviceBuffer(this, space, bytes);
  }

  /** How much native memory it holds now. */
  public MemoryStats memoryStats() {
    acquire("memory_stats");
    try {
      gtr_memory_stats stats = Structs.memoryStats();
      Status.check(Gtr.gtr_memory_get_stats(handle(), stats));
      return new MemoryStats(
          stats.live_bytes(), stats.peak_bytes(), stats.allocations(), stats.handles());
    } finally {
      release();
    }
  }

  @Override
  protected String label() {
    return info == null
        ? "device"
        : "device " + info.backend().name().toLowerCase(Locale.ROOT) + ":" + info.index();
  }
}
