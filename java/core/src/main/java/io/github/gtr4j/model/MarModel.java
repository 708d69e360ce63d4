package io.github.gtr4j.model;

import io.github.gtr4j.binding.NativeObject;
import io.github.gtr4j.checkpoint.CheckpointSource;
import io.github.gtr4j.checkpoint.SafetensorsFile;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.kernel.DiffusionHead;
import io.github.gtr4j.kernel.Precision;
import java.nio.file.Path;

/**
 * A masked-autoregressive model on a device, its weights packed for that device's kernels.
 * Immutable; any number of threads and jobs may share it. The caller closes it, after every {@link
 * MarWorkspace} and sampler that uses it.
 */
public final class MarModel extends NativeObject {
  private final Device device;
  private final MarConfiguration configuration;
  private final Precision precision;
  private final MarWeights weights;
  private final long weightBytes;

  private MarModel(
      Device device, MarConfiguration configuration, Precision precision, WeightSource source) {
    super(device);
    this.device = device;
    this.configuration = configuration;
    this.precision = precision;
    long before = device.memoryStats().liveBytes();
    try {
      weights = MarWeights.load(device, configuration, precision, source);
    } catch (Throwable e) {
      abandon();
      throw e;
    }
    weightBytes = device.memoryStats().liveBytes() - before;
  }

  /**
   * Loads a safetensors file.
   *
   * @throws io.github.gtr4j.checkpoint.CheckpointException if it cannot be read or does not hold
   *     exactly a MAR model; names the tensor or metadata key, what was found and what was expected
   */
  public static MarModel load(Device device, Path path, Precision precision) {
    return load(device, CheckpointSource.of(path), precision);
  }

  /**
   * Loads safetensors from any source, which is closed.
   *
   * @throws io.github.gtr4j.checkpoint.CheckpointException as above
   */
  public static MarModel load(Device device, CheckpointSource source, Precision precision) {
    try (SafetensorsFile file = SafetensorsFile.open(source)) {
      CheckpointWeights weights = new CheckpointWeights(file);
      return new MarModel(device, weights.configuration(), precision, weights);
    }
  }

  /**
   * A model with random weights, for benchmarks.
   *
   * @param configuration its sizes, such as {@link MarConfiguration#marB}
   * @param seed gives the same weights each time
   */
  public static MarModel random(
      Device device, MarConfiguration configuration, Precision precision, long seed) {
    return new MarModel(device, configuration, precision, new RandomWeights(seed));
  }

  /**
   * Reads the configuration off a checkpoint, whose tensors are all checked but not read.
   *
   * @throws io.github.gtr4j.checkpoint.CheckpointException as for {@link #load}
   */
  public static MarConfiguration readConfiguration(CheckpointSource source) {
    try (SafetensorsFile file = SafetensorsFile.open(source)) {
      return new CheckpointWeights(file).configuration();
    }
  }

  /** The device that it lies on. */
  public Device device() {
    return device;
  }

  /** Its sizes and metadata. */
  public MarConfiguration configuration() {
    return configuration;
  }

  /** Arithmetic of its large matrix products. */
  public Precision precision() {
    return precision;
  }

  /** Bytes of native memory that the weights take. */
  public long weightBytes() {
    return weightBytes;
  }

  /** The diffusion head, which belongs to the model and is closed with it. */
  public DiffusionHead head() {
    requireOpen("head");
    return weights.head();
  }

  /**
   * Memory for computing condition vectors on a stream; the caller closes it before the model.
   *
   * @param stream of the model's device; it does not become the workspace's own
   * @throws io.github.gtr4j.OutOfNativeMemoryException if there is not enough
   */
  public MarWorkspace newWorkspace(Stream stream, WorkspaceSize size) {
    return new MarWorkspace(this, stream, size);
  }

  /** Bytes of native memory that a workspace of a size takes. */
  public long workspaceBytes(WorkspaceSize size) {
    return MarWorkspace.bytes(this, size);
  }

  MarWeights weights() {
    return weights;
  }

  @Override
  public void close() {
    // All or nothing: a part that is in use would remain.
    weights.parts().forEach(this::requireUnused);
    super.close();
  }

  @Override
  protected String label() {
    return "MAR model of width " + configuration.width();
  }

  @Override
  protected void free() {
    weights.close();
  }
}
