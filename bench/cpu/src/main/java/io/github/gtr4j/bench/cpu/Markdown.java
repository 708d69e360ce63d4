package io.github.gtr4j.bench.cpu;

import java.util.List;
import java.util.Locale;

/** Text of a report as it grows. */
final class Markdown {
  private final StringBuilder text = new StringBuilder();

  /** Begins a report: what it is about, how it was made, and on what. */
  Markdown(String title, String command, Machine machine, List<String[]> more) {
    text.append("# ").append(title).append("\n\n");
    text.append("Made with\n\n```\n").append(command).append("\n```\n\n");
    text.append("| | |\n|---|---|\n");
    row("processor", machine.processor() + ", " + machine.cores() + " cores");
    row("instructions", machine.tier());
    row("threads, each side", String.valueOf(machine.threads()));
    row("JVM", machine.jvm());
    row("peer", machine.peer());
    row("date, commit", machine.date() + ", " + machine.commit());
    more.forEach(this::row);
  }

  /** The peaks that a machine reached. */
  static String describe(Peaks peaks) {
    return format(
        "f32 %.0f GFLOP/s, bf16 %.0f GFLOP/s, from the second-level cache %.0f GFLOP/s, beside a softmax %.0f (64) and"
            + " %.0f GFLOP/s (80), reading %.1f GB/s, 3.5 MB again %.1f GB/s, 25 MB again %.1f GB/s",
        peaks.f32Flops() / 1e9,
        peaks.bf16Flops() / 1e9,
        peaks.cachedBf16Flops() / 1e9,
        peaks.attention64Flops() / 1e9,
        peaks.attention80Flops() / 1e9,
        peaks.readBytes() / 1e9,
        peaks.matrixBytes() / 1e9,
        peaks.headBytes() / 1e9);
  }

  void goals(List<Goal> goals) {
    text.append("\n## Goals\n\n| what | goal | measured | |\n|---|---|---|---|\n");
    for (Goal goal : goals) {
      row(goal.what(), goal.limit(), goal.measured(), goal.outcome().label());
    }
  }

  void append(String lines) {
    text.append(lines);
  }

  void row(String... cells) {
    text.append("| ").append(String.join(" | ", cells)).append(" |\n");
  }

  static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  static String percent(double share) {
    return format("%.0f%%", 100 * share);
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
