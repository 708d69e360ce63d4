package io.github.gtr4j.cli;

/** What the user typed, or a file that it names, is not allowed: exit code 2. */
final class BadInputException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Says what is wrong and what is allowed, in one line. */
  BadInputException(String message) {
    super(message);
  }

  /** Names the option, and says what is wrong and what is allowed. */
  BadInputException(String option, String problem) {
    super(option + ": " + problem);
  }
}
