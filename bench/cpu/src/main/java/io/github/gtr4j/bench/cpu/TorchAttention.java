package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.kernel.Precision;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** scaled_dot_product_attention on a block's qkv, up to the rows that the projection reads. */
final class TorchAttention extends TorchContender {
  private final AttentionWorkload workload;
  private final Tensor qkv;
  private final Tensor q;

  TorchAttention(AttentionWorkload workload, Precision precision, int threads) {
    super(threads);
    this.workload = workload;
    ScalarType type = Libtorch.type(precision);
    long sequences = workload.sequences();
    long heads = workload.heads();
    long dim = workload.headDim();
    qkv = keep(Libtorch.tensor(workload.qkv(), type, sequences, workload.keys(), 3, heads, dim));
    q =
        workload.queries() == workload.keys()
            ? null
            : keep(Libtorch.tensor(workload.q(), type, sequences, workload.queries(), heads, dim));
    run();
  }

  @Override
  Tensor compute() {
    Tensor parts = qkv.permute(2, 0, 3, 1, 4);
    Tensor queries = q == null ? parts.select(0, 0) : q.transpose(1, 2);
    return torch
        .scaled_dot_product_attention(queries, parts.select(0, 1), parts.select(0, 2))
        .transpose(1, 2)
        .reshape(workload.sequences(), workload.queries(), workload.width());
  }
}
