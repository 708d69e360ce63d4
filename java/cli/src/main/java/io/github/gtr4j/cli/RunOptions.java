package io.github.gtr4j.cli;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.NoDeviceException;
import io.github.gtr4j.UnsupportedFeatureException;
import io.github.gtr4j.device.Backend;
import io.github.gtr4j.device.CpuTier;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceOptions;
import io.github.gtr4j.kernel.Precision;
import io.github.gtr4j.sampling.SamplerOptions;
import picocli.CommandLine.Option;

/** What computes, and how. None of it but the precision changes what is drawn. */
final class RunOptions {
  private static final int MAX_THREADS = 1024;

  @Option(
      names = "--device",
      paramLabel = "cpu|cuda|auto",
      defaultValue = "auto",
      description = "What computes; auto (default) takes the best that works.")
  private String device;

  @Option(
      names = "--precision",
      paramLabel = "f32|bf16",
      defaultValue = "f32",
      description = "Arithmetic of the large matrix products (default f32).")
  private String precision;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description =
          "CPU threads, 1 to 1024 (default: as many as affinity and the container's quota allow).")
  private String threads;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Most images under way at once (default 16).")
  private String batch;

  Precision precision() {
    return OptionValues.choice("--precision", precision, Precision.class);
  }

  SamplerOptions samplerOptions() {
    SamplerOptions defaults = SamplerOptions.defaults();
    return batch == null
        ? defaults
        : defaults.withMaxBatch(
            OptionValues.smallInteger("--batch", batch, 1, SamplerOptions.MAX_BATCH));
  }

  DeviceOptions deviceOptions() {
    Backend backend = OptionValues.choice("--device", device, Backend.class);
    int count =
        threads == null ? 0 : OptionValues.smallInteger("--threads", threads, 1, MAX_THREADS);
    return new DeviceOptions(backend, 0, count, CpuTier.AUTO);
  }

  /** Opens the device; one that does not exist here is the user's mistake. */
  static Device open(DeviceOptions options) {
    try {
      return Device.open(options);
    } catch (NoDeviceException | InvalidArgumentException | UnsupportedFeatureException e) {
      String operation = e.operation() + ": ";
      String message = e.getMessage();
      throw new BadInputException(
          "--device",
          message.startsWith(operation) ? message.substring(operation.length()) : message);
    }
  }
}
