package io.github.gtr4j.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The command above the others; alone it prints its help. */
@Command(
    name = "gtr",
    mixinStandardHelpOptions = true,
    versionProvider = GtrCommand.Versions.class,
    description = "Draws images with masked-autoregressive models, fast by GtR schedules.")
final class GtrCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  private final Terminal terminal;

  GtrCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  static String versionLine() {
    return "gtr4j " + Version.TEXT;
  }

  @Override
  public Integer call() {
    spec.commandLine().usage(terminal.out());
    return ExitCode.OK;
  }

  /** Tells picocli the version. */
  static final class Versions implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {versionLine()};
    }
  }
}
