package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.kernel.Precision;

/**
 * softmax(q kᵀ / √D) v, with k and v as columns of one matrix, and q as well if there are as many
 * queries as keys.
 *
 * @param sequences B
 * @param queries of a sequence
 * @param keys of a sequence
 * @param heads H
 * @param headDim D
 */
record AttentionWorkload(long sequences, long queries, long keys, long heads, long headDim)
    implements Workload {
  @Override
  public double flops() {
    return 4.0 * sequences * heads * queries * keys * headDim;
  }

  @Override
  public double leastSeconds(Precision precision, Peaks peaks) {
    return flops() / peaks.attentionFlops(precision, headDim);
  }

  long width() {
    return heads * headDim;
  }

  /** [B · keys, 3 · width]. */
  float[] qkv() {
    return Numbers.of(1, sequences * keys * 3 * width(), 5);
  }

  /** [B · queries, width], if those of qkv are not meant. */
  float[] q() {
    return Numbers.of(1, sequences * queries * width(), 6);
  }

  @Override
  public Contender open(Implementation implementation, Precision precision, int threads) {
    return implementation == Implementation.GTR4J
        ? new GtrAttention(this, precision, threads)
        : new TorchAttention(this, precision, threads);
  }
}
