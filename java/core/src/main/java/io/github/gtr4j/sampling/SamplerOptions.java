package io.github.gtr4j.sampling;

import io.github.gtr4j.InvalidArgumentException;

/**
 * How a sampler works; none of it changes what it draws.
 *
 * @param maxBatch most images that are under way at once, 1 or more
 * @param modulationBytes most memory for the diffusion head's modulations that are computed ahead;
 *     0 leaves it to the library
 * @param timePhases whether to wait on a GPU between the phases of a decode step, so that each has
 *     a time of its own; on the CPU they always have
 */
public record SamplerOptions(int maxBatch, long modulationBytes, boolean timePhases) {
  /** Most images of a batch that a sampler can be asked for. */
  public static final int MAX_BATCH = 1 << 16;

  /** Options without waits between phases. */
  public SamplerOptions(int maxBatch, long modulationBytes) {
    this(maxBatch, modulationBytes, false);
  }

  /** Checks the values. */
  public SamplerOptions {
    if (maxBatch < 1 || maxBatch > MAX_BATCH) {
      throw new InvalidArgumentException("maxBatch", maxBatch + "; allowed 1 to " + MAX_BATCH);
    }
    if (modulationBytes < 0) {
      throw new InvalidArgumentException(
          "modulationBytes", modulationBytes + "; allowed are numbers >= 0");
    }
  }

  /** Up to 16 images at once; no waits between phases. */
  public static SamplerOptions defaults() {
    return new SamplerOptions(16, 0);
  }

  /** The same but for the largest batch. */
  public SamplerOptions withMaxBatch(int images) {
    return new SamplerOptions(images, modulationBytes, timePhases);
  }

  /** The same but for the times of phases. */
  public SamplerOptions withTimePhases(boolean wanted) {
    return new SamplerOptions(maxBatch, modulationBytes, wanted);
  }
}
