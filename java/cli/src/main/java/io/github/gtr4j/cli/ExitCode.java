package io.github.gtr4j.cli;

/** What the process returns. */
final class ExitCode {
  static final int OK = 0;

  /** A failure while running. */
  static final int FAILURE = 1;

  /** Usage or input that is not allowed. */
  static final int BAD_INPUT = 2;

  private ExitCode() {}
}
