package io.github.gtr4j.sampling;

/**
 * Native memory that sampling takes, known before it begins.
 *
 * @param weights the model, shared by all samplers
 * @param activations what a sampler keeps from one operation to the next
 * @param scratch what operations need while they run
 */
public record MemoryPlan(long weights, long activations, long scratch) {
  /** All of it. */
  public long total() {
    return weights + activations + scratch;
  }
}
