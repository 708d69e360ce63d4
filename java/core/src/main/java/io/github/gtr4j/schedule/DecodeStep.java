package io.github.gtr4j.schedule;

/**
 * One decode step of a plan: one pass of the transformer, then a diffusion chain for each of the
 * tokens that it decodes.
 *
 * @param index number of the step in its plan, from 0
 * @param stage stage of the schedule that the step belongs to, from 0 in decode order; MAR has one
 * @param reconstruction whether that is the reconstruction stage of GtR
 * @param start position in the decode order of the first token that the step decodes
 * @param tokens number of tokens that it decodes, at least 1
 * @param known number of tokens of the image that are known before it
 * @param diffusionSteps diffusion steps of its tokens, but for those chosen for detail
 * @param detailTokens how many tokens with the highest frequency scores are chosen for detail; 0
 *     switches the choice off
 * @param detailDiffusionSteps diffusion steps of the chosen tokens
 * @param guidanceTokens how many tokens of the image count as decoded for linear guidance
 */
public record DecodeStep(
    int index,
    int stage,
    boolean reconstruction,
    int start,
    int tokens,
    int known,
    int diffusionSteps,
    int detailTokens,
    int detailDiffusionSteps,
    int guidanceTokens) {

  /** Position in the decode order after the step's last token. */
  public int end() {
    return start + tokens;
  }

  /** Diffusion steps of all tokens of the step together. */
  public long totalDiffusionSteps() {
    return (long) (tokens - detailTokens) * diffusionSteps
        + (long) detailTokens * detailDiffusionSteps;
  }

  /** The largest number of diffusion steps that a token of the step can get. */
  public int maxDiffusionSteps() {
    return detailTokens == 0 ? diffusionSteps : Math.max(diffusionSteps, detailDiffusionSteps);
  }
}
