package io.github.gtr4j.bench.cpu;

import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * What a run found, for readers and for programs.
 *
 * @param command that was called
 * @param machine where it ran
 * @param comparisons case by case
 * @param goals and whether they are met
 */
record Report(String command, Machine machine, List<Comparison> comparisons, List<Goal> goals) {

  /** Everything, times in seconds. */
  String json() {
    return RunOptions.json(this);
  }

  /** Tables. */
  String markdown() {
    List<Peaks> peaks =
        comparisons.stream().map(Comparison::peaks).filter(Objects::nonNull).toList();
    List<String[]> more =
        peaks.isEmpty()
            ? List.of()
            : List.<String[]>of(
                new String[] {"median peaks", Markdown.describe(Peaks.median(peaks))});
    Markdown text = new Markdown("The CPU's operations beside libtorch's", command, machine, more);
    text.goals(goals);
    text.append(
        """

        ## Cases

        Times are medians of single calls, ± half the distance between the quartiles; the ratio is our time over libtorch's.
        PyTorch is Python's, whose build is another, by bench/peers/torch_attention.py. GFLOP/s, GB/s and shares are ours:
        FLOPs as executed, bytes of weights that come from memory. The roofline is the longest of what an operation cannot
        do without, at the peaks, which were measured before and after each case: products (linear and head: of operands
        in the second-level cache; attention: of keys and values there, beside its softmax) and weights from where they can
        lie. B/op is what a call of ours allocates on the Java heap, with what JMH allocates per iteration.

        | operation | | case | gtr4j | libtorch | ratio | PyTorch | GFLOP/s | of peak | GB/s | of bandwidth | of roofline | B/op |
        |---|---|---|---|---|---|---|---|---|---|---|---|---|
        """);
    for (Comparison comparison : comparisons) {
      row(text, comparison);
    }
    return text.toString();
  }

  private static void row(Markdown text, Comparison comparison) {
    Result ours = comparison.ours();
    Result peer = comparison.peer();
    boolean hasFlops = ours.flops() > 0;
    boolean hasBytes = ours.bytes() > 0;
    text.row(
        ours.operation(),
        ours.precision().name().toLowerCase(Locale.ROOT),
        ours.shape(),
        time(ours),
        peer == null ? "" : time(peer),
        peer == null ? "" : Markdown.format("%.2f", comparison.ratio()),
        comparison.pytorch() == null ? "" : time(comparison.pytorch()),
        hasFlops ? Markdown.format("%.0f", ours.flopsPerSecond() / 1e9) : "",
        share(comparison.shareOfPeak()),
        hasBytes ? Markdown.format("%.1f", ours.bytesPerSecond() / 1e9) : "",
        share(comparison.shareOfBandwidth()),
        share(comparison.shareOfRoofline()),
        Double.isNaN(ours.bytesPerOp()) ? "" : Markdown.format("%.1f", ours.bytesPerOp()));
  }

  private static String share(double share) {
    return Double.isNaN(share) ? "" : Markdown.percent(share);
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
    return Markdown.format(number + " ± " + number + " %s", value, result.spread() * factor, unit);
  }
}
