package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.Precision;
import io.github.gtr4j.kernel.Segments;
import io.github.gtr4j.kernel.TopFraction;
import java.nio.ByteBuffer;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Of each image, which rows have the highest scores.
 *
 * @param images segments of rows
 * @param rows of an image
 * @param selected of these
 */
record TopFractionWorkload(int images, int rows, int selected) implements Workload {
  private float[] scores() {
    return Numbers.of(1, (long) images * rows, 18);
  }

  @Override
  public Contender open(Implementation implementation, Precision precision, int threads) {
    return implementation == Implementation.GTR4J ? new Gtr(threads) : new Torch(threads);
  }

  private final class Gtr extends GtrContender {
    private final Tensor score;
    private final Tensor cell;
    private final Tensor place;
    private final Tensor scratch;
    private final Segments segments = new Segments(images);

    Gtr(int threads) {
      super(threads);

      int all = images * rows;
      score = cpu.tensor(scores(), DType.F32, all);
      cell = cpu.tensor(IntStream.range(0, all).map(i -> i % rows).toArray(), DType.U32);
      place = cpu.empty(DType.I32, all);
      scratch = cpu.scratch(TopFraction.scratchBytes(cpu.device(), all));
      for (int i = 0; i < images; i++) {
        int rest = images * selected + i * (rows - selected);
        segments.add(i * rows, rows, selected, i * selected, rest);
      }
      run();
    }

    @Override
    public void run() {
      TopFraction.run(cpu.stream(), score, cell, segments, place, scratch);
    }

    @Override
    Tensor result() {
      return place;
    }

    /** 1 for the rows that were selected, 0 for the others. */
    @Override
    public float[] output() {
      float[] chosen = new float[images * rows];
      ByteBuffer memory = place.asByteBuffer();
      for (int i = 0; i < images * selected; i++) {
        chosen[memory.getInt(i * Integer.BYTES)] = 1;
      }
      return chosen;
    }
  }

  private final class Torch extends TorchContender {
    private final org.bytedeco.pytorch.Tensor score;
    private final Scalar yes;
    private final TensorOptions flags;

    Torch(int threads) {
      super(threads);
      score = keep(Libtorch.tensor(scores(), ScalarType.Float, images, rows));
      yes = keep(new Scalar(1.0f));
      flags = keep(new TensorOptions(ScalarType.Float));
      run();
    }

    @Override
    org.bytedeco.pytorch.Tensor compute() {
      T_TensorTensor_T top = torch.topk(score, selected, 1, true, false);
      return torch.zeros(new long[] {images, rows}, flags).scatter_(1, top.get1(), yes);
    }
  }
}
