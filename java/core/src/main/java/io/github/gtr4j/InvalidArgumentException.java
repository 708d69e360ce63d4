package io.github.gtr4j;

/** The caller's mistake: an argument has a value that is not allowed. */
public class InvalidArgumentException extends GtrException {
  private static final long serialVersionUID = 1L;

  private final String argument;
  private final String problem;

  /**
   * Names the argument and says what is wrong with it.
   *
   * @param argument name of the argument, such as {@code steps}
   * @param problem the value found and what is allowed
   */
  public InvalidArgumentException(String argument, String problem) {
    super(argument + ": " + problem);
    this.argument = argument;
    this.problem = problem;
  }

  /**
   * Names an operation and its argument, and says what is wrong with it.
   *
   * @param operation name of the operation, such as {@code attention}
   * @param argument name of the argument, such as {@code key_lengths}
   * @param problem a clause that names the argument, the value found and what is allowed
   */
  public InvalidArgumentException(String operation, String argument, String problem) {
    super(operation, problem);
    this.argument = argument;
    this.problem = problem;
  }

  /** Name of the argument. */
  public String argument() {
    return argument;
  }

  /** The message without what stands before the problem: the argument's or operation's name. */
  public String problem() {
    return problem;
  }
}
