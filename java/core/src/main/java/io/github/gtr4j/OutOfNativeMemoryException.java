package io.github.gtr4j;

/** An allocation outside the Java heap failed; nothing was changed. */
public class OutOfNativeMemoryException extends GtrException {
  private static final long serialVersionUID = 1L;

  /**
   * Says what went wrong in which operation.
   *
   * @param operation name of the operation
   * @param problem what went wrong
   */
  public OutOfNativeMemoryException(String operation, String problem) {
    super(operation, problem);
  }
}
