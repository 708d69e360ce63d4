package io.github.gtr4j.bench.cpu;

import java.util.List;
import java.util.Locale;

/**
 * What a run of whole images found, for readers and for programs.
 *
 * @param command that was called
 * @param machine where it ran
 * @param starts of every side
 * @param rounds after each start, in which every side sampled once
 * @param results case by case
 * @param goals and whether they are met
 */
record ImageReport(
    String command,
    Machine machine,
    int starts,
    int rounds,
    List<ImageResult> results,
    List<Goal> goals) {

  /** Everything, times in seconds. */
  String json() {
    return RunOptions.json(this);
  }

  /** Tables. */
  String markdown() {
    List<String[]> more =
        List.<String[]>of(new String[] {"starts, rounds of each", starts + ", " + rounds});
    Markdown text = new Markdown("Whole images on the CPU", command, machine, more);
    text.goals(goals);
    text.append(
        """

        ## Cases

        Guided images (cfg 3) by GtR 12,3,1, with random weights. Both sides are processes that have sampled once, and ours has
        compiled its Java on images of a narrow model; then they take turns, and times are medians of all starts' rounds, in
        seconds per image, ± half the distance between the quartiles. gtr4j samples through Java, libgtr is the calls of one
        such batch again from C++, in the same process and on the same memory. FLOPs are those executed, without what is saved.
        Java / calls, the time through Java over that within its calls of libgtr, Java / C++ and the share of peak are medians
        of what each round gave, the latter beside the peaks just before and after gtr4j's turn.

        | case | gtr4j | Java / calls | libgtr | Java / C++ | peer | ratio | encoder, decoder | head |
        |---|---|---|---|---|---|---|---|---|
        """);
    results.forEach(result -> times(text, result));
    text.append(
        """

        | case | TFLOP per image | TFLOP/s | peak | of peak | least time at the ceilings | of it |
        |---|---|---|---|---|---|---|
        """);
    for (ImageResult result : results) {
      text.row(
          result.images().text(),
          Markdown.format("%.2f", result.flops().total() / result.images().images() / 1e12),
          Markdown.format("%.3f", result.flopsPerSecond() / 1e12),
          Markdown.format("%.3f", result.peaks().flops(result.images().precision()) / 1e12),
          Markdown.percent(result.shareOfPeak()),
          Markdown.format("%.2f s", result.images().leastSeconds(result.peaks())),
          Markdown.percent(result.shareOfRoofline()));
    }
    text.append(
        """

        The least time is that of the operations one after the other, without norms and what else is no product, at the
        median ceilings:
        """);
    results.forEach(
        result ->
            text.append(result.images().text() + ": " + Markdown.describe(result.peaks()) + ".\n"));
    text.append(
        """

        Memory: the most that gtr4j's process was resident with until its first batch was done, JVM (-Xmx64m) included, beside what
        its model says that weights take and its sampler that activations and scratch will. The peer's is that of all its batches.

        | case | planned | resident | ratio | peer, resident |
        |---|---|---|---|---|
        """);
    for (ImageResult result : results) {
      text.row(
          result.images().text(),
          megabytes(result.java().plannedBytes()),
          megabytes(result.java().residentPeakBytes()),
          Markdown.format("%.2f", result.memoryOverPlan()),
          result.peer() == null ? "" : megabytes(result.peer().residentPeakBytes()));
    }
    return text.toString();
  }

  private static void times(Markdown text, ImageResult result) {
    boolean hasPeer = result.peer() != null;
    text.row(
        result.images().text(),
        seconds(result.java()),
        Markdown.format("%.3f", result.javaOverLibrary()),
        seconds(result.replay()),
        Markdown.format("%.3f", result.javaOverReplay()),
        hasPeer ? seconds(result.peer()) : "",
        hasPeer ? ratio(result.ratio()) : "",
        part(result.java().backboneSeconds(), hasPeer, result.backboneRatio()),
        part(result.java().headSeconds(), hasPeer, result.headRatio()));
  }

  private static String part(double seconds, boolean hasPeer, double ratio) {
    return Markdown.format("%.2f s", seconds) + (hasPeer ? ", " + ratio(ratio) : "");
  }

  private static String ratio(double ratio) {
    return Markdown.format("%.2fx", ratio);
  }

  private static String seconds(ImageResult.Side side) {
    return Markdown.format("%.2f ± %.2f s", side.seconds(), side.spread());
  }

  private static String megabytes(long bytes) {
    return String.format(Locale.ROOT, "%.0f MB", bytes / 1e6);
  }
}
