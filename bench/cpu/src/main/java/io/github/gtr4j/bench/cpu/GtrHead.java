package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.ChainArguments;
import io.github.gtr4j.kernel.DiffusionHead;
import io.github.gtr4j.kernel.HeadShape;
import io.github.gtr4j.kernel.Noise;
import io.github.gtr4j.kernel.Precision;
import java.util.Arrays;
import java.util.stream.IntStream;

/** One ragged chain of ours over all tokens. */
final class GtrHead extends GtrContender {
  private final DiffusionHead head;
  private final ChainArguments arguments;
  private final Tensor x;
  private final Tensor scratch;

  GtrHead(HeadWorkload workload, Precision precision, int threads) {
    super(threads);

    HeadShape shape =
        new HeadShape(
            workload.channels(), workload.condition(), workload.width(), workload.blocks());
    head = cpu.own(DiffusionHead.create(cpu.device(), shape, precision));
    try (Cpu source = new Cpu(threads)) {
      workload
          .weights()
          .forEach((name, w) -> head.set(name, 0, source.tensor(w.values(), DType.F32, w.shape())));
    }
    int rows = workload.rows();
    x = cpu.empty(DType.F32, rows, workload.channels());
    arguments =
        new ChainArguments(workload.groups().size())
            .z(cpu.tensor(workload.z(), DType.F32, rows, workload.condition()))
            .zUnconditional(
                cpu.tensor(workload.zUnconditional(), DType.F32, rows, workload.condition()))
            .seed(seeds(cpu, rows))
            .image(cpu.tensor(new int[rows], DType.U32))
            .cell(cells(cpu, rows))
            .cfg(cpu.tensor(filled(rows, HeadWorkload.GUIDANCE), DType.F32, rows))
            .temperature(cpu.tensor(filled(rows, workload.temperature()), DType.F32, rows));
    workload.groups().forEach(group -> arguments.addGroup(group.rows(), group.steps(), true));
    scratch = cpu.scratch(head.chainScratchBytes(arguments));
    run();
  }

  /** What the chain starts from: [rows, channels]. */
  static float[] firstNoise(int rows, int channels) {
    try (Cpu cpu = new Cpu(1)) {
      Tensor x = cpu.empty(DType.F32, rows, channels);
      Tensor zero = cpu.tensor(new int[rows], DType.U32);
      Noise.fill(cpu.stream(), seeds(cpu, rows), zero, cells(cpu, rows), zero, x);
      return Cpu.values(x);
    }
  }

  private static Tensor seeds(Cpu cpu, int rows) {
    Tensor seeds = cpu.empty(DType.U64, rows);
    IntStream.range(0, rows).forEach(r -> seeds.asByteBuffer().putLong(r * Long.BYTES, 1));
    return seeds;
  }

  private static Tensor cells(Cpu cpu, int rows) {
    return cpu.tensor(IntStream.range(0, rows).toArray(), DType.U32);
  }

  private static float[] filled(int count, float value) {
    float[] values = new float[count];
    Arrays.fill(values, value);
    return values;
  }

  @Override
  public void run() {
    head.chain(cpu.stream(), arguments, x, scratch);
  }

  @Override
  Tensor result() {
    return x;
  }
}
