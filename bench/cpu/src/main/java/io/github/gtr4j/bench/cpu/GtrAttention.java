package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.Attention;
import io.github.gtr4j.kernel.Precision;

/** Attention of ours on views of a block's matrices. */
final class GtrAttention extends GtrContender {
  private final Precision precision;
  private final double scale;
  private final Tensor q;
  private final Tensor k;
  private final Tensor v;
  private final Tensor rows;
  private final Tensor out;
  private final Tensor scratch;

  GtrAttention(AttentionWorkload workload, Precision precision, int threads) {
    super(threads);
    this.precision = precision;

    long sequences = workload.sequences();
    long queries = workload.queries();
    long keys = workload.keys();
    long heads = workload.heads();
    long dim = workload.headDim();
    long width = workload.width();
    scale = 1 / Math.sqrt(dim);
    DType type = Cpu.activation(precision);
    Tensor qkv = cpu.tensor(workload.qkv(), type, sequences * keys, 3 * width);
    Tensor queryRows =
        queries == keys
            ? qkv.slice(1, 0, width)
            : cpu.tensor(workload.q(), type, sequences * queries, width);
    q = view(queryRows, sequences, queries, heads, dim);
    k = view(qkv.slice(1, width, width), sequences, keys, heads, dim);
    v = view(qkv.slice(1, 2 * width, width), sequences, keys, heads, dim);
    rows = cpu.empty(type, sequences * queries, width);
    out = view(rows, sequences, queries, heads, dim);
    scratch =
        cpu.scratch(
            Attention.scratchBytes(cpu.device(), precision, sequences, queries, keys, heads, dim));
    run();
  }

  /** Columns of a matrix as [B, L, H, D]. */
  private static Tensor view(Tensor columns, long sequences, long length, long heads, long dim) {
    long row = columns.stride(0);
    return columns.withLayout(
        new long[] {sequences, length, heads, dim}, new long[] {length * row, row, dim, 1});
  }

  @Override
  public void run() {
    Attention.run(cpu.stream(), precision, scale, q, k, v, null, null, null, out, scratch);
  }

  @Override
  Tensor result() {
    return rows;
  }
}
