package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.Precision;
import io.github.gtr4j.kernel.Rows;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Rows of a table by index, in float.
 *
 * @param kind which way
 * @param rows that are moved
 * @param table rows of the table
 * @param width of a row
 */
record RowsWorkload(Kind kind, int rows, int table, int width) implements Workload {
  private static final int STRIDE = 97;

  /** Which way rows go. */
  enum Kind {
    /** y[r] = table[index[r]] + position[index[r]]. */
    EMBED,
    /** y[r] = table[index[r]]. */
    GATHER,
    /** table[index[r]] = x[r]. */
    SCATTER
  }

  /** Distinct places, in no order; the table's rows must be no multiple of the stride. */
  private int[] index() {
    int[] index = new int[rows];
    for (int r = 0; r < rows; r++) {
      index[r] = (int) ((long) r * STRIDE % table);
    }
    return index;
  }

  private float[] tableValues() {
    return Numbers.of(1, (long) table * width, 13);
  }

  private float[] positions() {
    return Numbers.of(1, (long) table * width, 14);
  }

  private float[] x() {
    return Numbers.of(1, (long) rows * width, 15);
  }

  @Override
  public Contender open(Implementation implementation, Precision precision, int threads) {
    return implementation == Implementation.GTR4J ? new Gtr(threads) : new Torch(threads);
  }

  private final class Gtr extends GtrContender {
    private final Tensor source;
    private final Tensor positions;
    private final Tensor index;
    private final Tensor x;
    private final Tensor y;

    Gtr(int threads) {
      super(threads);

      source = cpu.tensor(tableValues(), DType.F32, table, width);
      positions = cpu.tensor(positions(), DType.F32, table, width);
      index = cpu.tensor(index(), DType.I32);
      x = cpu.tensor(x(), DType.F32, rows, width);
      y = cpu.empty(DType.F32, rows, width);
      run();
    }

    @Override
    public void run() {
      switch (kind) {
        case EMBED -> Rows.embed(cpu.stream(), source, null, index, positions, index, y);
        case GATHER -> Rows.gather(cpu.stream(), source, index, y);
        case SCATTER -> Rows.scatter(cpu.stream(), x, index, source);
      }
    }

    @Override
    Tensor result() {
      return kind == Kind.SCATTER ? source : y;
    }
  }

  private final class Torch extends TorchContender {
    private final org.bytedeco.pytorch.Tensor source;
    private final org.bytedeco.pytorch.Tensor positions;
    private final org.bytedeco.pytorch.Tensor index;
    private final org.bytedeco.pytorch.Tensor x;

    Torch(int threads) {
      super(threads);
      source = keep(Libtorch.tensor(tableValues(), ScalarType.Float, table, width));
      positions = keep(Libtorch.tensor(positions(), ScalarType.Float, table, width));
      index = keep(Libtorch.indices(index()));
      x = keep(Libtorch.tensor(x(), ScalarType.Float, rows, width));
      run();
    }

    @Override
    org.bytedeco.pytorch.Tensor compute() {
      return switch (kind) {
        case EMBED ->
            torch.index_select(source, 0, index).add(torch.index_select(positions, 0, index));
        case GATHER -> torch.index_select(source, 0, index);
        case SCATTER -> source.index_copy_(0, index, x).view(table, width);
      };
    }
  }
}
