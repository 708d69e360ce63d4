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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** What computes, and how. None of it but the precision changes what is drawn. */
final class RunOptions {
  private static final int MAX_THREADS = 1024;
  private static final Pattern DEVICE = Pattern.compile("auto|cpu|cuda(?::([0-9]{1,6}))?");

  @Option(
      names = "--device",
      paramLabel = "cpu|cuda[:N]|auto",
      defaultValue = "auto",
      description =
          "What computes; cuda:N is the GPU with that number (cuda: 0), auto (default) takes the"
              + " best that works, and the summary says why.")
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
          "Threads, 1 to 1024, if the CPU computes (default: as many as affinity and the container's"
              + " quota allow).")
  private String threads;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Most images under way at once (default 16).")
  private String batch;

  @Option(
      names = "--time-phases",
      description =
          "Times backbone and diffusion head on a GPU too, which makes it wait between them; the CPU"
              + " always does.")
  private boolean timePhases;

  Precision precision() {
    return OptionValues.choice("--precision", precision, Precision.class);
  }

  SamplerOptions samplerOptions() {
    SamplerOptions defaults = SamplerOptions.defaults().withTimePhases(timePhases);
    return batch == null
        ? defaults
        : defaults.withMaxBatch(
            OptionValues.smallInteger("--batch", batch, 1, SamplerOptions.MAX_BATCH));
  }

  DeviceOptions deviceOptions() {
    Matcher name = DEVICE.matcher(device);
    if (!name.matches()) {
      throw new BadInputException(
          "--device", "'" + device + "'; allowed are auto, cpu, cuda and cuda:0, cuda:1, ...");
    }
    Backend backend =
        device.equals("auto") ? Backend.AUTO : device.equals("cpu") ? Backend.CPU : Backend.CUDA;
    int index = name.group(1) == null ? 0 : Integer.parseInt(name.group(1));
    int count =
        threads == null ? 0 : OptionValues.smallInteger("--threads", threads, 1, MAX_THREADS);
    if (threads != null && backend == Backend.CUDA) {
      throw new BadInputException("--threads", "is for the CPU; --device is " + device);
    }
    return new DeviceOptions(backend, index, count, CpuTier.AUTO);
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
