package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.kernel.Precision;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** The command line of whole images. */
@Command(
    name = "images",
    mixinStandardHelpOptions = true,
    description =
        "Measures whole images, through Java and from C++, beside PyTorch where there is one.")
final class ImagesCommand implements Callable<Integer> {
  @ParentCommand private Main main;

  @Option(
      names = "--model",
      split = ",",
      paramLabel = "SIZE",
      description = "Models: ${COMPLETION-CANDIDATES}, by default B.")
  private List<ModelSize> models = List.of(ModelSize.B);

  @Option(
      names = "--precision",
      split = ",",
      paramLabel = "TYPE",
      description = "${COMPLETION-CANDIDATES}, by default both.")
  private List<Precision> precisions = List.of(Precision.BF16, Precision.F32);

  @Option(
      names = "--batch",
      split = ",",
      paramLabel = "N",
      description = "Images that are sampled together, by default 1,8.")
  private List<Integer> batches = List.of(1, 8);

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that work on a call, of each side; by default as many as there are.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description = "Times that each side samples after its first; by default 3.")
  private int rounds = 3;

  @Option(
      names = "--python",
      paramLabel = "PROGRAM",
      description = "A Python that has PyTorch, the peer; without it there is none.")
  private String python;

  @Option(
      names = "--out",
      paramLabel = "PREFIX",
      description = "Also write the report to PREFIX.md and PREFIX.json.")
  private Path out;

  @Override
  public Integer call() throws IOException {
    List<ImageCase> cases = ImageCase.of(models, precisions, batches);
    ImageMeasurement measurement = new ImageMeasurement(threads, rounds, python);
    List<ImageResult> results = new ArrayList<>();
    for (ImageCase c : cases) {
      ImageResult result = measurement.run(c);
      results.add(result);
      System.err.printf(
          "[%d/%d] %s: %.2f s, ratio %.2f, %.0f%% of peak%n",
          results.size(),
          cases.size(),
          c.text(),
          result.java().seconds(),
          result.ratio(),
          100 * result.shareOfPeak());
    }
    ImageResult.Side peer = results.get(0).peer();
    ImageReport report =
        new ImageReport(
            main.command(),
            Machine.describe(threads, peer == null ? "none" : peer.name()),
            rounds,
            results,
            ImageGoals.of(results));
    Main.write(report.markdown(), report.json(), out);
    return CommandLine.ExitCode.OK;
  }
}
