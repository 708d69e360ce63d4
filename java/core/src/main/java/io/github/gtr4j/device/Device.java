package io.github.gtr4j.device;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.binding.Gtr;
import io.github.gtr4j.binding.NativeDevice;
import io.github.gtr4j.binding.Natives;
import io.github.gtr4j.binding.Pointers;
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
import org.bytedeco.javacpp.Pointer;

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

  /**
   * Opens an NVIDIA GPU.
   *
   * @param index which one, from 0; see {@link #list}
   * @throws io.github.gtr4j.NoDeviceException if there is none; says whether driver, card or
   *     library is missing
   */
  public static Device cuda(int index) {
    return open(DeviceOptions.cuda(index));
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
    gtr_device_info info = description();
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
    return new Stream(this, 0, null);
  }

  /**
   * Wraps a stream that another library owns and that outlives this one; closing it leaves the
   * external one alone, but waits for what was enqueued through it.
   *
   * @param external its handle: a {@code cudaStream_t} of this device, not null, which does not say
   *     what default it stands for; CUDA has handles for its default streams, 1 for the legacy one
   *     and 2 for that of each thread. The CPU has no streams of others
   */
  public Stream wrapStream(long external) {
    return wrapStream(external, null);
  }

  /**
   * As {@link #wrapStream(long)}, for a pointer to the stream such as a {@code CUstream_st} of
   * JavaCPP's CUDA preset, which stays reachable as long as the result.
   */
  public Stream wrapStream(Pointer external) {
    return wrapStream(external == null ? 0 : Pointers.address(external), external);
  }

  private Stream wrapStream(long address, Pointer external) {
    if (address == 0) {
      throw new InvalidArgumentException(
          "stream_create", "external", "external is null; newStream makes a stream");
    }
    return new Stream(this, address, external);
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
