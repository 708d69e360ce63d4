package io.github.gtr4j;

/** Something that gtr4j refuses or failed at; its subclasses say what. */
public class GtrException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String operation;

  /** Says what went wrong. */
  public GtrException(String message) {
    super(message);
    this.operation = "";
  }

  /** Says what went wrong, and what made it go wrong. */
  public GtrException(String message, Throwable cause) {
    super(message, cause);
    this.operation = "";
  }

  /**
   * Says what went wrong in which operation.
   *
   * @param operation name of the operation, such as {@code attention}
   * @param problem what went wrong; the message is "operation: problem"
   */
  public GtrException(String operation, String problem) {
    super(operation + ": " + problem);
    this.operation = operation;
  }

  /** Name of the operation that failed, such as {@code attention}; empty if none did. */
  public String operation() {
    return operation;
  }
}
