package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.Noise;
import io.github.gtr4j.kernel.Precision;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.global.torch;

/**
 * Standard normal numbers: ours by each token's own counters, the peer's from one generator. They
 * are not the same numbers.
 *
 * @param rows tokens
 * @param channels of a token
 */
record NoiseWorkload(int rows, int channels) implements Workload {
  @Override
  public Contender open(Implementation implementation, Precision precision, int threads) {
    return implementation == Implementation.GTR4J ? new Gtr(threads) : new Torch(threads);
  }

  private final class Gtr extends GtrContender {
    private final Tensor seed;
    private final Tensor image;
    private final Tensor cell;
    private final Tensor draw;
    private final Tensor y;

    Gtr(int threads) {
      super(threads);

      seed = cpu.empty(DType.U64, rows);
      seed.asByteBuffer().asLongBuffer().put(new long[rows]);
      image = cpu.tensor(new int[rows], DType.U32);
      cell = cpu.tensor(IntStream.range(0, rows).toArray(), DType.U32);
      draw = cpu.tensor(new int[rows], DType.U32);
      y = cpu.empty(DType.F32, rows, channels);
      run();
    }

    @Override
    public void run() {
      Noise.fill(cpu.stream(), seed, image, cell, draw, y);
    }

    @Override
    Tensor result() {
      return y;
    }
  }

  private final class Torch extends TorchContender {
    Torch(int threads) {
      super(threads);
      run();
    }

    @Override
    org.bytedeco.pytorch.Tensor compute() {
      return torch.randn(rows, channels);
    }
  }
}
