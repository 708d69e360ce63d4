package io.github.gtr4j.bench.cpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.util.Statistics;

/**
 * Measures cases by JMH, each side in a virtual machine of its own, so that no side's threads are
 * still spinning while the other computes.
 *
 * @param threads that work on a call
 * @param warmup milliseconds
 * @param iterations that are measured
 * @param milliseconds of each
 */
record Measurement(int threads, int warmup, int iterations, int milliseconds) {
  private static final String ALLOCATED = "gc.alloc.rate.norm";

  static Measurement thorough(int threads) {
    return new Measurement(threads, 300, 3, 400);
  }

  static Measurement quick(int threads) {
    return new Measurement(threads, 200, 2, 250);
  }

  /**
   * Measures both sides, one right after the other.
   *
   * @throws IllegalStateException if a side fails, with what JMH said
   */
  Comparison run(Case c) {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include("^" + OperationBenchmark.class.getName() + "\\.call$")
            .param("inThreads", String.valueOf(threads))
            .param("operation", c.workload().toJson())
            .param("precision", c.precision().name())
            .param("side", Implementation.GTR4J.name(), Implementation.LIBTORCH.name())
            .warmupIterations(1)
            .warmupTime(TimeValue.milliseconds(warmup))
            .measurementIterations(iterations)
            .measurementTime(TimeValue.milliseconds(milliseconds))
            .addProfiler(GCProfiler.class)
            .shouldFailOnError(true)
            .jvmArgsAppend(jvmOptions());
    try {
      Path log = Files.createTempFile("gtr4j-bench", ".log");
      try {
        options.output(log.toString());
        List<Result> results = new ArrayList<>();
        for (RunResult result : new Runner(options.build()).run()) {
          results.add(result(c, result));
        }
        return Comparison.of(results).get(0);
      } catch (RunnerException e) {
        throw new IllegalStateException(c.text() + ":\n" + Files.readString(log), e);
      } finally {
        Files.delete(log);
      }
    } catch (IOException e) {
      throw new IllegalStateException(c.text(), e);
    }
  }

  private static String[] jvmOptions() {
    List<String> options = new ArrayList<>();
    options.add("-Xmx1g");
    options.add("-Dorg.bytedeco.javacpp.maxPhysicalBytes=0");
    options.add("-Dorg.bytedeco.javacpp.maxBytes=0");
    if (Runtime.version().feature() >= 22) {
      options.add("--enable-native-access=ALL-UNNAMED");
    }
    return options.toArray(String[]::new);
  }

  private static Result result(Case c, RunResult run) {
    Implementation side = Implementation.valueOf(run.getParams().getParam("side"));
    Statistics nanoseconds = run.getPrimaryResult().getStatistics();
    return new Result(
        c.operation(),
        c.shape(),
        c.precision(),
        side,
        nanoseconds.getPercentile(50) / 1e9,
        (nanoseconds.getPercentile(75) - nanoseconds.getPercentile(25)) / 2e9,
        c.workload().flops(),
        c.workload().memoryBytes(c.precision()),
        run.getSecondaryResults().get(ALLOCATED).getScore());
  }
}
