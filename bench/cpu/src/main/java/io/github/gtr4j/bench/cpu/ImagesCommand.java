package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.kernel.Precision;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** The command line of whole images. */
@Command(
    name = "images",
    mixinStandardHelpOptions = true,
    description =
        "Measures whole images, through Java and from C++, beside PyTorch where there is one.")
final class ImagesCommand implements Callable<Integer> {
  @ParentCommand private Main main;

  @Spec private CommandSpec spec;

  @Mixin private RunOptions run = new RunOptions();

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
      names = "--starts",
      paramLabel = "N",
      description = "Times that each side is started as a new process; by default 3.")
  private int starts = 3;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description = "Times that each side samples after its first of a start; by default once.")
  private int rounds = 1;

  @Override
  public Integer call() throws IOException {
    if (starts < 1
        || rounds < 1
        || run.threads < 1
        || batches.stream().anyMatch(images -> images < 1)) {
      throw new ParameterException(
          spec.commandLine(), "--starts, --rounds, --threads and --batch are numbers from 1 on");
    }
    List<ImageCase> cases = ImageCase.of(models, precisions, batches);
    ImageMeasurement measurement = new ImageMeasurement(run.threads, starts, rounds, run.python);
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
            Machine.describe(run.threads, peer == null ? "none" : peer.name()),
            starts,
            rounds,
            results,
            ImageGoals.of(results));
    run.write(report.markdown(), report.json());
    return CommandLine.ExitCode.OK;
  }
}
