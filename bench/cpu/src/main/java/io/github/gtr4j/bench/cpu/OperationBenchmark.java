package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.kernel.Precision;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Calls of one operation by one implementation. JMH runs through the values of parameters by their
 * names, the last one fastest: both sides of a ratio are measured one right after the other.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
public class OperationBenchmark {
  /** Threads that work on a call. */
  @Param("1")
  public int inThreads;

  /** A {@link Workload} as JSON. */
  @Param(
      "{\"operation\":\"attention\",\"sequences\":2,\"queries\":320,\"keys\":320,\"heads\":12,\"headDim\":64}")
  public String operation;

  /** Of the products. */
  @Param({"F32", "BF16"})
  public Precision precision;

  /** Whose. */
  @Param({"GTR4J", "LIBTORCH"})
  public Implementation side;

  private Contender contender;

  /** Makes the operands and calls once. */
  @Setup
  public void open() {
    contender = Workload.ofJson(operation).open(side, precision, inThreads);
  }

  /** One call. */
  @Benchmark
  public void call() {
    contender.run();
  }

  /** What the last call computed. */
  float[] output() {
    return contender.output();
  }

  /** Frees everything. */
  @TearDown
  public void close() {
    contender.close();
  }
}
