package io.github.gtr4j.cli;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What a command did.
 *
 * @param exitCode of the process that it would have been
 * @param out standard output
 * @param err standard error
 */
record CommandRun(int exitCode, String out, String err) {
  /** Runs a command in this process, with output that is no terminal. */
  static CommandRun of(Object... args) {
    return on(false, args);
  }

  static CommandRun on(boolean terminal, Object... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    String[] texts = new String[args.length];
    for (int k = 0; k < args.length; k++) {
      texts[k] = args[k].toString();
    }
    int exitCode =
        GtrCli.run(
            new Terminal(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                terminal),
            texts);
    return new CommandRun(
        exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  List<String> errorLines() {
    return err.lines().toList();
  }
}
