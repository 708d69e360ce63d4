package io.github.gtr4j.cli;

import io.github.gtr4j.sampling.MemoryPlan;
import java.util.Locale;

/** Numbers with units, for people. */
final class Summary {
  private static final String[] PREFIXES = {"", "k", "M", "G", "T", "P", "E"};

  private Summary() {}

  /** Such as {@code 1.23 TFLOP}. */
  static String flops(double flops) {
    int prefix = 0;
    double value = flops;
    while (value >= 999.5 && prefix < PREFIXES.length - 1) {
      value /= 1000;
      prefix++;
    }
    return String.format(Locale.ROOT, "%.3g %sFLOP", value, PREFIXES[prefix]);
  }

  /** Such as {@code 9.47 MiB}. */
  static String bytes(long bytes) {
    if (bytes < 1024) {
      return bytes + " bytes";
    }
    int prefix = 0;
    double value = bytes;
    while (value >= 1024 && prefix < PREFIXES.length - 1) {
      value /= 1024;
      prefix++;
    }
    String unit = prefix == 1 ? "Ki" : PREFIXES[prefix] + "i";
    return String.format(Locale.ROOT, "%.1f %sB", value, unit);
  }

  /** What a run takes, in one line. */
  static String memory(MemoryPlan plan) {
    return "memory: "
        + bytes(plan.total())
        + " (weights "
        + bytes(plan.weights())
        + ", activations "
        + bytes(plan.activations())
        + ", scratch "
        + bytes(plan.scratch())
        + ")";
  }

  /** Such as {@code 12.3 s}. */
  static String seconds(double seconds) {
    return String.format(Locale.ROOT, seconds < 10 ? "%.2f s" : "%.1f s", seconds);
  }

  /** Such as {@code 61 %}. */
  static String percent(double share) {
    return Math.round(100 * share) + " %";
  }

  /** Such as {@code 3.25}. */
  static String rate(double value) {
    return String.format(Locale.ROOT, value < 100 ? "%.3g" : "%.0f", value);
  }
}
