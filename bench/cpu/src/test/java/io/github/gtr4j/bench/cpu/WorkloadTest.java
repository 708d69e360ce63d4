package io.github.gtr4j.bench.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.kernel.Activation;
import io.github.gtr4j.kernel.Precision;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Both sides of every benchmark compute the same thing: else their times would be no comparison.
 */
class WorkloadTest {
  private static final int THREADS = 2;

  static Stream<Workload> workloads() {
    return Stream.of(
        new LinearWorkload(5, 64, 96, Activation.NONE, false, false),
        new LinearWorkload(5, 64, 96, Activation.GELU, false, false),
        new LinearWorkload(5, 64, 96, Activation.SILU, false, false),
        new LinearWorkload(5, 64, 96, Activation.NONE, true, false),
        new AttentionWorkload(2, 9, 9, 2, 16),
        new AttentionWorkload(2, 3, 9, 2, 16),
        new FrequencyEnergyWorkload(3, 48),
        new LayerNormWorkload(3, 48, false),
        new LayerNormWorkload(3, 48, true),
        new RowsWorkload(RowsWorkload.Kind.EMBED, 5, 12, 16),
        new RowsWorkload(RowsWorkload.Kind.GATHER, 5, 12, 16),
        new RowsWorkload(RowsWorkload.Kind.SCATTER, 5, 12, 16),
        new TopFractionWorkload(2, 30, 3),
        head(0));
  }

  private static Workload head(float temperature) {
    return new HeadWorkload(
        4,
        24,
        32,
        2,
        List.of(new HeadWorkload.Group(2, 6), new HeadWorkload.Group(3, 4)),
        temperature);
  }

  static Stream<Arguments> cases() {
    return workloads()
        .flatMap(
            workload ->
                Stream.of(Precision.values()).map(precision -> Arguments.of(workload, precision)));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void bothSidesAgree(Workload workload, Precision precision) {
    float[] ours = output(workload, precision, Implementation.GTR4J);
    float[] theirs = output(workload, precision, Implementation.LIBTORCH);
    assertEquals(theirs.length, ours.length);
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < ours.length; i++) {
      difference += Math.pow((double) ours[i] - theirs[i], 2);
      norm += Math.pow(theirs[i], 2);
    }
    double error = Math.sqrt(difference / norm);
    double tolerance = precision == Precision.BF16 ? 2e-2 : 1e-5;
    assertTrue(error <= tolerance, () -> "they differ by " + error + " of their size");
  }

  private static float[] output(Workload workload, Precision precision, Implementation side) {
    OperationBenchmark benchmark = new OperationBenchmark();
    benchmark.inThreads = THREADS;
    benchmark.operation = workload.toJson();
    benchmark.precision = precision;
    benchmark.side = side;
    benchmark.open();
    try {
      benchmark.call();
      return benchmark.output();
    } finally {
      benchmark.close();
    }
  }

  /** Weights that no cache holds take turns, and are the same. */
  @ParameterizedTest
  @EnumSource(
      value = Implementation.class,
      names = {"GTR4J", "LIBTORCH"})
  void coldCopiesAreTheSame(Implementation side) {
    LinearWorkload cold = new LinearWorkload(1, 4096, 4096, Activation.NONE, false, true);
    assertTrue(cold.copies(Precision.BF16) > 1);
    try (Contender contender = cold.open(side, Precision.BF16, THREADS)) {
      contender.run();
      float[] first = contender.output();
      contender.run();
      assertArrayEquals(first, contender.output());
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Implementation.class,
      names = {"GTR4J", "LIBTORCH"})
  void chainsWithNoiseEndInNumbers(Implementation side) {
    for (float value : output(head(1), Precision.F32, side)) {
      assertTrue(Float.isFinite(value));
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Implementation.class,
      names = {"GTR4J", "LIBTORCH"})
  void noiseIsStandardNormal(Implementation side) {
    float[] values = output(new NoiseWorkload(1000, 16), Precision.F32, side);
    assertEquals(16000, values.length);
    double sum = 0;
    double squares = 0;
    for (float value : values) {
      sum += value;
      squares += value * value;
    }
    assertEquals(0, sum / values.length, 0.05);
    assertEquals(1, squares / values.length, 0.05);
  }
}
