package io.github.gtr4j.cli;

import io.github.gtr4j.GtrException;
import io.github.gtr4j.checkpoint.CheckpointException;
import io.github.gtr4j.sampling.SamplingException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.CancellationException;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** The command line in one call: any failure becomes one line and an exit code. */
final class GtrCli {
  /** Environment variable: any value prints the stack trace of a failure too. */
  private static final String DEBUG = "GTR_DEBUG";

  private static final String HEAP_TOO_SMALL = "the Java heap is too small; give it more with -Xmx";

  private GtrCli() {}

  static int run(Terminal terminal, String... args) {
    CommandLine commandLine =
        new CommandLine(new GtrCommand(terminal))
            .addSubcommand(new SampleCommand(terminal))
            .addSubcommand(new CompareCommand(terminal))
            .addSubcommand(new PlanCommand(terminal))
            .addSubcommand(new InfoCommand(terminal))
            .addSubcommand(new DevicesCommand(terminal))
            .addSubcommand(new CommandLine.HelpCommand())
            .setExpandAtFiles(false)
            .setOut(new PrintWriter(terminal.out(), true))
            .setErr(new PrintWriter(terminal.err(), true))
            .setParameterExceptionHandler((e, arguments) -> misuse(terminal, e))
            .setExecutionExceptionHandler((e, command, result) -> failure(terminal, e));
    try {
      return terminal.checkWritten(commandLine.execute(args));
    } catch (OutOfMemoryError e) {
      return report(terminal, ExitCode.FAILURE, HEAP_TOO_SMALL, e);
    } catch (Error e) {
      return report(terminal, ExitCode.FAILURE, internalError(e), e);
    } finally {
      terminal.out().flush();
      terminal.err().flush();
    }
  }

  private static int misuse(Terminal terminal, ParameterException e) {
    String command = e.getCommandLine().getCommandSpec().qualifiedName();
    return report(
        terminal,
        ExitCode.BAD_INPUT,
        e.getMessage().lines().findFirst().orElse("") + "; see " + command + " --help",
        e);
  }

  private static int failure(Terminal terminal, Exception e) {
    if (e instanceof BadInputException || e instanceof CheckpointException) {
      return report(terminal, ExitCode.BAD_INPUT, e.getMessage(), e);
    }
    if (e instanceof SamplingException && e.getCause() instanceof OutOfMemoryError) {
      return report(terminal, ExitCode.FAILURE, HEAP_TOO_SMALL, e);
    }
    if (e instanceof GtrException || e instanceof IOException) {
      return report(terminal, ExitCode.FAILURE, e.getMessage(), e);
    }
    if (e instanceof InterruptedException || e instanceof CancellationException) {
      return report(terminal, ExitCode.FAILURE, "cancelled", e);
    }
    return report(terminal, ExitCode.FAILURE, internalError(e), e);
  }

  private static String internalError(Throwable e) {
    return "internal error: " + e + " (" + DEBUG + "=1 shows where)";
  }

  private static int report(Terminal terminal, int exitCode, String message, Throwable cause) {
    terminal.err().println("gtr: " + oneLine(message));
    if (System.getenv(DEBUG) != null) {
      cause.printStackTrace(terminal.err());
    }
    return exitCode;
  }

  /** A message in one line that a terminal can show, whatever a user's text brought into it. */
  private static String oneLine(String message) {
    return String.valueOf(message).strip().replaceAll("\\p{Cntrl}", "?");
  }
}
