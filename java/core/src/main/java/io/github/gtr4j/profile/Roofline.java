package io.github.gtr4j.profile;

import io.github.gtr4j.InvalidArgumentException;
import java.util.List;
import java.util.Locale;

/**
 * The roofline model of a machine (Williams, Waterman and Patterson, "Roofline: an insightful
 * visual performance model", CACM 2009): an operation can run no faster than its arithmetic or its
 * memory traffic allows.
 *
 * @param flopsPerSecond highest rate of arithmetic
 * @param bytesPerSecond highest rate of memory traffic
 */
public record Roofline(double flopsPerSecond, double bytesPerSecond) {

  /** Both rates must be finite and above 0. */
  public Roofline {
    requireRate("flops_per_second", flopsPerSecond);
    requireRate("bytes_per_second", bytesPerSecond);
  }

  private static void requireRate(String argument, double rate) {
    if (!(rate > 0 && rate < Double.POSITIVE_INFINITY)) {
      throw new InvalidArgumentException(
          "roofline", argument, argument + " is " + rate + "; allowed are finite numbers above 0");
    }
  }

  /** Least time in seconds for that much arithmetic and memory traffic. */
  public double leastSeconds(long flops, long bytes) {
    return Math.max(flops / flopsPerSecond, bytes / bytesPerSecond);
  }

  /** Whether memory traffic, not arithmetic, bounds it. */
  public boolean isMemoryBound(KernelCount count) {
    return count.bytes() / bytesPerSecond >= count.flops() / flopsPerSecond;
  }

  /**
   * Share of what the machine allows that it reached: least time over time, 0 if it took no time.
   */
  public double share(KernelCount count) {
    return count.nanoseconds() == 0
        ? 0
        : leastSeconds(count.flops(), count.bytes()) / count.seconds();
  }

  /** A table of the counts, one line each, longest first, with a head line. */
  public String table(List<KernelCount> counts) {
    double total = 0;
    for (KernelCount count : counts) {
      total += count.seconds();
    }
    StringBuilder table =
        new StringBuilder(
            String.format(
                Locale.ROOT,
                "%-17s %9s %10s %6s %10s %8s %6s  %s%n",
                "operation",
                "calls",
                "seconds",
                "time",
                "GFLOP/s",
                "GB/s",
                "roof",
                "bound by"));
    List<KernelCount> sorted =
        counts.stream().sorted((a, b) -> Long.compare(b.nanoseconds(), a.nanoseconds())).toList();
    for (KernelCount count : sorted) {
      table.append(
          String.format(
              Locale.ROOT,
              "%-17s %9d %10.4f %5.1f%% %10.2f %8.2f %5.1f%%  %s%n",
              count.operation().id(),
              count.calls(),
              count.seconds(),
              total == 0 ? 0 : 100 * count.seconds() / total,
              count.flopsPerSecond() * 1e-9,
              count.bytesPerSecond() * 1e-9,
              100 * share(count),
              isMemoryBound(count) ? "memory" : "arithmetic"));
    }
    return table.toString();
  }
}
