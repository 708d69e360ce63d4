package io.github.gtr4j;

/** A defect of the native library; please report the message. */
public class InternalErrorException extends GtrException {
  private static final long serialVersionUID = 1L;

  /**
   * Says what went wrong in which operation.
   *
   * @param operation name of the operation
   * @param problem what went wrong
   */
  public InternalErrorException(String operation, String problem) {
    super(operation, problem);
  }
}
