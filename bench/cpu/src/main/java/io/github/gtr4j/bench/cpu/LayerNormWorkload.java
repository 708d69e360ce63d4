package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.LayerNorm;
import io.github.gtr4j.kernel.Precision;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Layer norm with weight and bias.
 *
 * @param rows of the residual stream, which is float in ours
 * @param width W
 * @param modulated whether · (1 + scale) + shift follows, one of each per element
 */
record LayerNormWorkload(long rows, long width, boolean modulated) implements Workload {
  private static final double EPSILON = 1e-6;

  private float[] x() {
    return Numbers.of(1, rows * width, 8);
  }

  private float[] weight() {
    return Numbers.around(1, 0.1, width, 9);
  }

  private float[] bias() {
    return Numbers.of(0.1, width, 10);
  }

  private float[] scale() {
    return Numbers.of(0.3, rows * width, 11);
  }

  private float[] shift() {
    return Numbers.of(0.3, rows * width, 12);
  }

  @Override
  public Contender open(Implementation implementation, Precision precision, int threads) {
    return implementation == Implementation.GTR4J
        ? new Gtr(precision, threads)
        : new Torch(precision, threads);
  }

  private final class Gtr extends GtrContender {
    private final Tensor x;
    private final Tensor weight;
    private final Tensor bias;
    private final Tensor scale;
    private final Tensor shift;
    private final Tensor y;

    Gtr(Precision precision, int threads) {
      super(threads);

      DType type = Cpu.activation(precision);
      x = cpu.tensor(x(), DType.F32, rows, width);
      weight = cpu.tensor(weight(), DType.F32, width);
      bias = cpu.tensor(bias(), DType.F32, width);
      scale = modulated ? cpu.tensor(scale(), type, rows, width) : null;
      shift = modulated ? cpu.tensor(shift(), type, rows, width) : null;
      y = cpu.empty(type, rows, width);
      run();
    }

    @Override
    public void run() {
      LayerNorm.run(cpu.stream(), x, weight, bias, scale, shift, EPSILON, y);
    }

    @Override
    Tensor result() {
      return y;
    }
  }

  private final class Torch extends TorchContender {
    private final long[] normalized = {width};
    private final Scalar one = keep(new Scalar(1.0f));
    private final org.bytedeco.pytorch.Tensor x;
    private final TensorOptional weight;
    private final TensorOptional bias;
    private final org.bytedeco.pytorch.Tensor scale;
    private final org.bytedeco.pytorch.Tensor shift;

    Torch(Precision precision, int threads) {
      super(threads);
      ScalarType type = Libtorch.type(precision);
      x = keep(Libtorch.tensor(x(), type, rows, width));
      weight = keep(new TensorOptional(keep(Libtorch.tensor(weight(), type, width))));
      bias = keep(new TensorOptional(keep(Libtorch.tensor(bias(), type, width))));
      scale = modulated ? keep(Libtorch.tensor(scale(), type, rows, width)) : null;
      shift = modulated ? keep(Libtorch.tensor(shift(), type, rows, width)) : null;
      run();
    }

    @Override
    org.bytedeco.pytorch.Tensor compute() {
      org.bytedeco.pytorch.Tensor y = torch.layer_norm(x, normalized, weight, bias, EPSILON, false);
      return modulated ? y.mul(scale.add(one)).add(shift) : y;
    }
  }
}
