package io.github.gtr4j.cli;

import java.io.Console;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;

/**
 * Where output goes.
 *
 * @param out results
 * @param err errors, one line each
 * @param interactive whether a person looks at out while it is written
 */
record Terminal(PrintStream out, PrintStream err, boolean interactive) {
  /** That of the process. */
  static Terminal ofProcess() {
    return new Terminal(System.out, System.err, isTerminal(System.console()));
  }

  /** Since Java 22 there is a console without a terminal too, and a method that tells. */
  private static boolean isTerminal(Console console) {
    if (console == null) {
      return false;
    }
    try {
      return (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (NoSuchMethodException e) {
      return true;
    } catch (IllegalAccessException | InvocationTargetException e) {
      return false;
    }
  }

  /** Whether to colour text, as a user who said nothing about it expects. */
  boolean coloured() {
    return interactive && System.getenv("NO_COLOR") == null;
  }

  /** The exit code, or that of a failure where the results did not arrive. */
  int checkWritten(int exitCode) {
    // A PrintStream keeps failures to itself, such as a full disk behind it.
    if (out.checkError() && exitCode == ExitCode.OK) {
      err.println("gtr: standard output cannot be written");
      return ExitCode.FAILURE;
    }
    return exitCode;
  }
}
