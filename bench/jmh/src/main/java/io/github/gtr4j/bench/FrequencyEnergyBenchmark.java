package io.github.gtr4j.bench;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.DeviceBuffer;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.FrequencyEnergy;
import java.util.concurrent.TimeUnit;
import org.bytedeco.cuda.cudart.float2;
import org.bytedeco.cuda.global.cufft;
import org.bytedeco.javacpp.FloatPointer;
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
 * The high-frequency energy of condition vectors: ours, transform and weighted sum in one, beside
 * cuFFT's batched transform, which leaves the sum to be done.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class FrequencyEnergyBenchmark {
  private static final int CALLS = 64;
  private static final double TOLERANCE = 1e-4;

  /** Widths of MAR-B, L and H. */
  @Param({"768", "1024", "1280"})
  public int dim;

  /** The reconstruction step of one image, and of 64. */
  @Param({"128", "8192"})
  public int rows;

  private Card card;
  private Tensor z;
  private Tensor score;
  private Tensor scratch;
  private final int[] plan = new int[1];
  private FloatPointer input;
  private float2 output;

  /** Makes both sides' operands, and compares their results. */
  @Setup
  public void open() {
    card = new Card();
    z = card.upload(Card.normal(rows * dim, 1, 4), DType.F32, rows, dim);
    score = card.empty(DType.F32, rows);
    DeviceBuffer memory = card.allocate(FrequencyEnergy.scratchBytes(card.device(), rows, dim));
    scratch = memory.tensor(DType.U8, memory.size());
    int half = dim / 2;
    Tensor spectrum = card.empty(DType.F32, rows, half + 1L, 2);
    input = new FloatPointer(Card.pointer(z));
    output = new float2(Card.pointer(spectrum));
    Card.check(
        "cufftPlanMany",
        cufft.cufftPlanMany(
            plan,
            1,
            new int[] {dim},
            (int[]) null,
            1,
            dim,
            (int[]) null,
            1,
            half + 1,
            cufft.CUFFT_R2C,
            rows));
    Card.check("cufftSetStream", cufft.cufftSetStream(plan[0], card.external()));

    runOurs();
    runTheirs();
    Card.requireClose(
        "frequency_energy", card.download(score), energies(card.download(spectrum)), TOLERANCE);
  }

  /** What is left to be done of a spectrum. */
  private float[] energies(float[] spectrum) {
    int half = dim / 2;
    float[] energies = new float[rows];
    for (int row = 0; row < rows; row++) {
      double sum = 0;
      for (int k = 1; k <= half; k++) {
        int at = 2 * (row * (half + 1) + k);
        sum += Math.hypot(spectrum[at], spectrum[at + 1]) * (1 + (double) k / half);
      }
      energies[row] = (float) sum;
    }
    return energies;
  }

  private void runOurs() {
    FrequencyEnergy.run(card.stream(), z, score, scratch);
  }

  private void runTheirs() {
    Card.check("cufftExecR2C", cufft.cufftExecR2C(plan[0], input, output));
  }

  /** Ours. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public void gtr4j() {
    card.repeat(CALLS, this::runOurs);
  }

  /** cuFFT, without the weighted sum. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public void cufftTransformAlone() {
    card.repeat(CALLS, this::runTheirs);
  }

  /** Frees everything. */
  @TearDown
  public void close() {
    card.stream().synchronize();
    Card.check("cufftDestroy", cufft.cufftDestroy(plan[0]));
    card.close();
  }
}
