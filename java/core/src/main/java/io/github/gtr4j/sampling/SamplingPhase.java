package io.github.gtr4j.sampling;

/**
 * Where in a decode step a request is. On a GPU the phases before {@link #DECODED} are reported
 * when their work is enqueued, unless {@link SamplerOptions#timePhases()} makes the sampler wait
 * for each.
 */
public enum SamplingPhase {
  /** Encoder and decoder compute the condition vectors of the tokens to decode. */
  BACKBONE,
  /** Frequency-weighted selection picks the tokens that get more diffusion steps. */
  SELECTION,
  /** The diffusion head draws the tokens. */
  HEAD,
  /** The decode step is complete; its tokens are known from now on. */
  DECODED
}
