package io.github.gtr4j.sampling;

/** Where in a decode step a request is. */
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
