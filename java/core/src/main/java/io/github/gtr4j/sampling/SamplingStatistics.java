package io.github.gtr4j.sampling;

/**
 * What a sampler has done since it was opened. The times of the phases are 0 on a GPU unless {@link
 * SamplerOptions#timePhases()} was asked for, see {@link #hasPhases}.
 *
 * @param images requests that ran to their end
 * @param batchSteps decode steps of batches, each of which may have served several images; repeated
 *     ones included
 * @param imageSteps decode steps of images
 * @param tokens tokens decoded
 * @param backboneNanos time in encoder and decoder
 * @param selectionNanos time in frequency-weighted selection
 * @param headNanos time in the diffusion head
 * @param totalNanos time in decode steps, all of the above and the bookkeeping around it included
 * @param flops floating-point operations of the decode steps of images: 2 per multiply-add, no
 *     savings counted
 */
public record SamplingStatistics(
    long images,
    long batchSteps,
    long imageSteps,
    long tokens,
    long backboneNanos,
    long selectionNanos,
    long headNanos,
    long totalNanos,
    double flops) {
  /** Whether the phases of the steps were timed. */
  public boolean hasPhases() {
    return headNanos > 0;
  }

  /** Share of the time in encoder and decoder, 0 to 1; 0 before the first step. */
  public double backboneShare() {
    return totalNanos == 0 ? 0 : (double) backboneNanos / totalNanos;
  }

  /** Share of the time in the diffusion head, 0 to 1; 0 before the first step. */
  public double headShare() {
    return totalNanos == 0 ? 0 : (double) headNanos / totalNanos;
  }
}
