package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.kernel.Activation;
import io.github.gtr4j.kernel.Precision;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** A linear layer of libtorch, with all operands in one type. */
final class TorchLinear extends TorchContender {
  private final Activation activation;
  private final Tensor[] copies;
  private final TensorOptional bias;
  private final Tensor x;
  private final Tensor residual;
  private int next;

  TorchLinear(LinearWorkload workload, Precision precision, int threads) {
    super(threads);
    activation = workload.activation();
    long rows = workload.rows();
    long outputs = workload.outputs();
    long inputs = workload.inputs();
    ScalarType type = Libtorch.type(precision);
    copies = new Tensor[workload.copies(precision)];
    copies[0] = keep(Libtorch.tensor(workload.weight(), type, outputs, inputs));
    for (int i = 1; i < copies.length; i++) {
      copies[i] = keep(copies[0].clone());
    }
    bias = keep(new TensorOptional(keep(Libtorch.tensor(workload.bias(), type, outputs))));
    x = keep(Libtorch.tensor(workload.x(), type, rows, inputs));
    residual =
        workload.residual() ? keep(Libtorch.tensor(workload.addend(), type, rows, outputs)) : null;
    for (int i = 0; i < copies.length; i++) {
      run();
    }
  }

  @Override
  Tensor compute() {
    Tensor y = torch.linear(x, copies[next], bias);
    next = next + 1 == copies.length ? 0 : next + 1;
    y =
        switch (activation) {
          case NONE -> y;
          case GELU -> torch.gelu(y);
          case SILU -> torch.silu(y);
        };
    return residual == null ? y : residual.add(y);
  }
}
