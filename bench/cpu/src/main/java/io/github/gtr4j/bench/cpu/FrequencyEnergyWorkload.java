package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.FrequencyEnergy;
import io.github.gtr4j.kernel.Precision;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Σ |DFT(z)ₖ| · (1 + k/⌊D/2⌋) over k = 1…⌊D/2⌋; in float at every precision.
 *
 * @param rows condition vectors
 * @param dim D
 */
record FrequencyEnergyWorkload(long rows, long dim) implements Workload {
  private float[] z() {
    return Numbers.of(1, rows * dim, 7);
  }

  @Override
  public Contender open(Implementation implementation, Precision precision, int threads) {
    return implementation == Implementation.GTR4J ? new Gtr(threads) : new Torch(threads);
  }

  private final class Gtr extends GtrContender {
    private final Tensor z;
    private final Tensor score;
    private final Tensor scratch;

    Gtr(int threads) {
      super(threads);

      z = cpu.tensor(z(), DType.F32, rows, dim);
      score = cpu.empty(DType.F32, rows);
      scratch = cpu.scratch(FrequencyEnergy.scratchBytes(cpu.device(), rows, dim));
      run();
    }

    @Override
    public void run() {
      FrequencyEnergy.run(cpu.stream(), z, score, scratch);
    }

    @Override
    Tensor result() {
      return score;
    }
  }

  private final class Torch extends TorchContender {
    private final org.bytedeco.pytorch.Tensor z;
    private final org.bytedeco.pytorch.Tensor weight;

    Torch(int threads) {
      super(threads);
      z = keep(Libtorch.tensor(z(), ScalarType.Float, rows, dim));
      int half = Math.toIntExact(dim / 2);
      float[] weights = new float[half];
      for (int k = 1; k <= half; k++) {
        weights[k - 1] = 1 + (float) k / half;
      }
      weight = keep(Libtorch.tensor(weights, ScalarType.Float, half));
      run();
    }

    @Override
    org.bytedeco.pytorch.Tensor compute() {
      return torch.fft_rfft(z).abs().narrow(1, 1, dim / 2).mul(weight).sum(1);
    }
  }
}
