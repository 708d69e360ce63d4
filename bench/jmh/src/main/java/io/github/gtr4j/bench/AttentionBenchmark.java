package io.github.gtr4j.bench;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.DeviceBuffer;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.Attention;
import io.github.gtr4j.kernel.Precision;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Bidirectional attention in bfloat16 at the shapes of MAR: ours beside cuDNN's fused attention,
 * both on q, k and v as columns of one matrix.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class AttentionBenchmark {
  private static final int CALLS = 32;
  private static final double TOLERANCE = 1e-2;

  /** Heads x head dimension: MAR-B, L and H. */
  @Param({"12x64", "16x64", "16x80"})
  public String heads;

  /** Buffer and known tokens: 320 is a whole image. */
  @Param({"64", "192", "320"})
  public int length;

  /** Images, each half of a guided one counted. */
  @Param({"2", "64"})
  public int batch;

  private Card card;
  private double scale;
  private Tensor q;
  private Tensor k;
  private Tensor v;
  private Tensor out;
  private Tensor scratch;
  private CudnnAttention cudnn;

  /** Makes both sides' operands, and compares their results. */
  @Setup
  public void open() {
    String[] extents = heads.split("x");
    int count = Integer.parseInt(extents[0]);
    int dim = Integer.parseInt(extents[1]);
    int width = count * dim;
    scale = 1 / Math.sqrt(dim);
    card = new Card();
    int rows = batch * length;
    Tensor qkv = card.upload(Card.normal(rows * 3 * width, 1, 3), DType.BF16, rows, 3L * width);
    q = view(qkv.slice(1, 0, width), count, dim);
    k = view(qkv.slice(1, width, width), count, dim);
    v = view(qkv.slice(1, 2L * width, width), count, dim);
    out = view(card.empty(DType.BF16, rows, width), count, dim);
    DeviceBuffer memory =
        card.allocate(
            Attention.scratchBytes(
                card.device(), Precision.BF16, batch, length, length, count, dim));
    scratch = memory.tensor(DType.U8, memory.size());
    Tensor theirs = view(card.empty(DType.BF16, rows, width), count, dim);
    cudnn = new CudnnAttention(card, scale, q, k, v, theirs);

    runOurs();
    cudnn.run();
    Card.requireClose("attention", card.download(out), card.download(theirs), TOLERANCE);
  }

  /** Columns of a matrix as [batch, length, heads, head dim]. */
  private Tensor view(Tensor columns, long count, long dim) {
    long row = columns.stride(0);
    return columns.withLayout(
        new long[] {batch, length, count, dim}, new long[] {length * row, row, dim, 1});
  }

  private void runOurs() {
    Attention.run(card.stream(), Precision.BF16, scale, q, k, v, null, null, null, out, scratch);
  }

  /** Ours. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public void gtr4j() {
    card.repeat(CALLS, this::runOurs);
  }

  /** cuDNN. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public void cudnn() {
    card.repeat(CALLS, cudnn::run);
  }

  /** Frees everything. */
  @TearDown
  public void close() {
    card.stream().synchronize();
    cudnn.close();
    card.close();
  }
}
