package io.github.gtr4j.bench.cpu;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The command line. */
@Command(
    name = "gtr4j-bench-cpu",
    mixinStandardHelpOptions = true,
    subcommands = ImagesCommand.class,
    description =
        "Measures the CPU's operations beside libtorch's at the shapes of MAR, and prints a report.")
public final class Main implements Callable<Integer> {
  @Mixin private RunOptions run = new RunOptions();

  @Option(
      names = "--filter",
      paramLabel = "REGEX",
      description = "Only cases in whose text it is found, such as 'linear bf16 MAR-B qkv'.")
  private Pattern filter = Pattern.compile("");

  @Option(
      names = "--model",
      split = ",",
      paramLabel = "SIZE",
      description = "Models: ${COMPLETION-CANDIDATES}, by default all.")
  private List<ModelSize> models = List.of(ModelSize.values());

  @Option(
      names = "--quick",
      description = "Two minutes: the shapes that goals are about, and shorter measurements.")
  private boolean quick;

  @Option(names = "--list", description = "Print what would be measured, and end.")
  private boolean list;

  private final List<String> arguments;

  private Main(List<String> arguments) {
    this.arguments = arguments;
  }

  /** Runs the command line and exits with its code. */
  public static void main(String[] args) {
    System.exit(commandLine(args).execute(args));
  }

  static CommandLine commandLine(String... args) {
    return new CommandLine(new Main(List.of(args))).setCaseInsensitiveEnumValuesAllowed(true);
  }

  @Override
  public Integer call() throws IOException {
    List<Case> cases =
        (quick ? Cases.quick() : Cases.of(models))
            .stream()
                .filter(c -> filter.matcher(c.text()).find())
                .filter(c -> models.stream().anyMatch(m -> c.shape().startsWith(m.label())))
                .toList();
    if (cases.isEmpty()) {
      System.err.println("gtr4j-bench-cpu: no case matches; --list shows them");
      return CommandLine.ExitCode.USAGE;
    }
    if (list) {
      PrintStream stdout = new PrintStream(System.out, true, StandardCharsets.UTF_8);
      cases.forEach(c -> stdout.println(c.text()));
      return CommandLine.ExitCode.OK;
    }
    Measurement measurement =
        quick ? Measurement.quick(run.threads) : Measurement.thorough(run.threads);
    Peaks before = Peaks.measure(run.threads);
    Map<Case, Comparison> measured = new LinkedHashMap<>();
    for (Case c : cases) {
      Comparison comparison = measurement.run(c);
      if (run.python != null && PyTorchAttention.covers(c)) {
        comparison = comparison.with(new PyTorchAttention(run.python, run.threads).run(c));
      }
      Peaks after = Peaks.measure(run.threads);
      measured.put(c, comparison.with(Peaks.mean(before, after), c.workload()));
      before = after;
      System.err.printf(
          "[%d/%d] %s: ratio %.2f%n", measured.size(), cases.size(), c.text(), comparison.ratio());
    }
    Report report =
        new Report(
            command(),
            Machine.describe(run.threads, Libtorch.version()),
            new ArrayList<>(measured.values()),
            Goals.of(measured));
    run.write(report.markdown(), report.json());
    return CommandLine.ExitCode.OK;
  }

  /** What a user calls to run this. */
  String command() {
    return ("bench/cpu.sh " + String.join(" ", arguments)).strip();
  }
}
