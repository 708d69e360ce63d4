package io.github.gtr4j.bench.cpu;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.util.List;
import java.util.Locale;

/**
 * What a run found, for readers and for programs.
 *
 * @param command that was called
 * @param machine where it ran
 * @param peaks of the machine; null if they were not measured
 * @param comparisons case by case
 * @param goals and whether they are met
 */
record Report(
    String command, Machine machine, Peaks peaks, List<Comparison> comparisons, List<Goal> goals) {

  /** Everything, times in seconds. */
  String json() {
    try {
      return new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(this)
          + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Tables. */
  String markdown() {
    StringBuilder text = new StringBuilder();
    text.append("# The CPU's operations beside libtorch's\n\n");
    text.append("Made with\n\n```\n").append(command).append("\n```\n\n");
    text.append("| | |\n|---|---|\n");
    line(text, "processor", machine.processor() + ", " + machine.cores() + " cores");
    line(text, "instructions", machine.tier());
    line(text, "threads, each side", String.valueOf(machine.threads()));
    line(text, "JVM", machine.jvm());
    line(text, "peer", machine.libtorch());
    line(text, "date, commit", machine.date() + ", " + machine.commit());
    if (peaks != null) {
      line(
          text,
          "measured peaks",
          format(
              "f32 %.0f GFLOP/s, bf16 %.0f GFLOP/s, reading %.1f GB/s",
              peaks.f32Flops() / 1e9, peaks.bf16Flops() / 1e9, peaks.readBytes() / 1e9));
    }
    text.append("\n## Goals\n\n| what | goal | measured | |\n|---|---|---|---|\n");
    for (Goal goal : goals) {
      line(text, goal.what(), goal.limit(), goal.measured(), goal.outcome().label());
    }
    text.append(
        """

        ## Cases

        Times are medians of single calls, ± half the distance between the quartiles; the ratio is our time over libtorch's.
        GFLOP/s, GB/s and shares are ours: FLOPs as executed, bytes of weights that come from memory. B/op is what a call of
        ours allocates on the Java heap, with what JMH allocates per iteration.

        | operation | | case | gtr4j | libtorch | ratio | GFLOP/s | of peak | GB/s | of bandwidth | B/op |
        |---|---|---|---|---|---|---|---|---|---|---|
        """);
    for (Comparison comparison : comparisons) {
      row(text, comparison);
    }
    return text.toString();
  }

  private void row(StringBuilder text, Comparison comparison) {
    Result ours = comparison.ours();
    Result peer = comparison.peer();
    boolean hasFlops = ours.flops() > 0;
    boolean hasBytes = ours.bytes() > 0;
    line(
        text,
        ours.operation(),
        ours.precision().name().toLowerCase(Locale.ROOT),
        ours.shape(),
        time(ours),
        peer == null ? "" : time(peer),
        peer == null ? "" : format("%.2f", comparison.ratio()),
        hasFlops ? format("%.0f", ours.flopsPerSecond() / 1e9) : "",
        hasFlops && peaks != null
            ? percent(ours.flopsPerSecond() / peaks.flops(ours.precision()))
            : "",
        hasBytes ? format("%.1f", ours.bytesPerSecond() / 1e9) : "",
        hasBytes && peaks != null ? percent(ours.bytesPerSecond() / peaks.readBytes()) : "",
        Double.isNaN(ours.bytesPerOp()) ? "" : format("%.1f", ours.bytesPerOp()));
  }

  private static void line(StringBuilder text, String... cells) {
    text.append("| ").append(String.join(" | ", cells)).append(" |\n");
  }

  private static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  private static String percent(double share) {
    return format("%.0f%%", 100 * share);
  }

  /** Three digits and a unit. */
  private static String time(Result result) {
    double factor = 1;
    String unit = "s";
    if (result.seconds() < 1e-3) {
      factor = 1e6;
      unit = "µs";
    } else if (result.seconds() < 1) {
      factor = 1e3;
      unit = "ms";
    }
    double value = result.seconds() * factor;
    int digits = value < 10 ? 2 : value < 100 ? 1 : 0;
    String number = "%." + digits + "f";
    return format(number + " ± " + number + " %s", value, result.spread() * factor, unit);
  }
}
