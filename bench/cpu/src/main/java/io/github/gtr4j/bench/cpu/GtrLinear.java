package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.Linear;
import io.github.gtr4j.kernel.Precision;

/** A linear layer of ours, with operands of the types that the model gives it. */
final class GtrLinear extends GtrContender {
  private final LinearWorkload workload;
  private final Linear[] copies;
  private final Tensor x;
  private final Tensor residual;
  private final Tensor y;
  private final Tensor scratch;
  private int next;

  GtrLinear(LinearWorkload workload, Precision precision, int threads) {
    super(threads);
    this.workload = workload;

    long rows = workload.rows();
    long outputs = workload.outputs();
    long inputs = workload.inputs();
    Tensor weight = cpu.tensor(workload.weight(), DType.F32, outputs, inputs);
    Tensor bias = cpu.tensor(workload.bias(), DType.F32, outputs);
    copies = new Linear[workload.copies(precision)];
    for (int i = 0; i < copies.length; i++) {
      copies[i] = cpu.own(Linear.create(cpu.device(), outputs, inputs, precision));
      copies[i].set(0, weight, bias);
    }
    x = cpu.tensor(workload.x(), Cpu.activation(precision), rows, inputs);
    residual = workload.residual() ? cpu.tensor(workload.addend(), DType.F32, rows, outputs) : null;
    DType result = workload.residual() ? DType.F32 : Cpu.activation(precision);
    y = cpu.empty(result, rows, outputs);
    scratch = cpu.scratch(copies[0].scratchBytes(rows));
    // Pages, threads, and every copy of the weights once.
    for (int i = 0; i < copies.length; i++) {
      run();
    }
  }

  @Override
  public void run() {
    copies[next].run(cpu.stream(), workload.activation(), x, null, residual, y, scratch);
    next = next + 1 == copies.length ? 0 : next + 1;
  }

  @Override
  Tensor result() {
    return y;
  }
}
