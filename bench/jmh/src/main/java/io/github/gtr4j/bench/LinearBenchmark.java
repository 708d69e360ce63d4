package io.github.gtr4j.bench;

import static org.bytedeco.cuda.global.cublas.CUBLAS_COMPUTE_32F;
import static org.bytedeco.cuda.global.cublas.CUBLAS_GEMM_DEFAULT;
import static org.bytedeco.cuda.global.cublas.CUBLAS_OP_N;
import static org.bytedeco.cuda.global.cublas.CUBLAS_OP_T;
import static org.bytedeco.cuda.global.cudart.CUDA_R_16BF;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.DeviceBuffer;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.Activation;
import io.github.gtr4j.kernel.Linear;
import io.github.gtr4j.kernel.Precision;
import java.util.concurrent.TimeUnit;
import org.bytedeco.cuda.cublas.cublasContext;
import org.bytedeco.cuda.global.cublas;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
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
 * y = x Wᵀ in bfloat16 at the shapes of a block of MAR-H: ours beside cublasGemmEx. Ours also adds
 * its bias, which is zero.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class LinearBenchmark {
  /** Enqueued before one wait, so that what it costs is shared. */
  private static final int CALLS = 64;

  private static final double TOLERANCE = 1e-2;

  /** Outputs x inputs: qkv, proj, fc1, fc2. */
  @Param({"3840x1280", "1280x1280", "5120x1280", "1280x5120"})
  public String shape;

  /** From one image to a batch of 64. */
  @Param({"320", "5120", "20480"})
  public int rows;

  private int outputs;
  private int inputs;
  private Card card;
  private Linear linear;
  private Tensor x;
  private Tensor y;
  private Tensor scratch;
  private cublasContext handle;
  private Pointer weights;
  private Pointer input;
  private Pointer output;
  private FloatPointer one;
  private FloatPointer zero;

  /** Makes both sides' operands, and compares their results. */
  @Setup
  public void open() {
    String[] extents = shape.split("x");
    outputs = Integer.parseInt(extents[0]);
    inputs = Integer.parseInt(extents[1]);
    card = new Card();
    float[] w = Card.normal(outputs * inputs, 1 / Math.sqrt(inputs), 1);
    linear = Linear.create(card.device(), outputs, inputs, Precision.BF16);
    linear.set(0, Card.onHost(w, DType.BF16, outputs, inputs), null);
    x = card.upload(Card.normal(rows * inputs, 1, 2), DType.BF16, rows, inputs);
    y = card.empty(DType.BF16, rows, outputs);
    DeviceBuffer memory = card.allocate(linear.scratchBytes(rows));
    scratch = memory.tensor(DType.U8, memory.size());

    handle = new cublasContext();
    Card.check("cublasCreate", cublas.cublasCreate_v2(handle));
    Card.check("cublasSetStream", cublas.cublasSetStream_v2(handle, card.external()));
    weights = Card.pointer(card.upload(w, DType.BF16, outputs, inputs));
    Tensor theirs = card.empty(DType.BF16, rows, outputs);
    input = Card.pointer(x);
    output = Card.pointer(theirs);
    one = new FloatPointer(1f);
    zero = new FloatPointer(0f);

    runOurs();
    runTheirs();
    Card.requireClose("linear", card.download(y), card.download(theirs), TOLERANCE);
  }

  private void runOurs() {
    linear.run(card.stream(), Activation.NONE, x, null, null, y, scratch);
  }

  /** Row-major y = x Wᵀ is column-major yᵀ = W xᵀ, and W as it lies there is already transposed. */
  private void runTheirs() {
    Card.check(
        "cublasGemmEx",
        cublas.cublasGemmEx(
            handle,
            CUBLAS_OP_T,
            CUBLAS_OP_N,
            outputs,
            rows,
            inputs,
            one,
            weights,
            CUDA_R_16BF,
            inputs,
            input,
            CUDA_R_16BF,
            inputs,
            zero,
            output,
            CUDA_R_16BF,
            outputs,
            CUBLAS_COMPUTE_32F,
            CUBLAS_GEMM_DEFAULT));
  }

  /** Ours. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public void gtr4j() {
    card.repeat(CALLS, this::runOurs);
  }

  /** cuBLAS. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public void cublas() {
    card.repeat(CALLS, this::runTheirs);
  }

  /** Frees everything. */
  @TearDown
  public void close() {
    card.stream().synchronize();
    linear.close();
    Card.check("cublasDestroy", cublas.cublasDestroy_v2(handle));
    card.close();
  }
}
