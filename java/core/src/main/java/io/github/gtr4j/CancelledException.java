package io.github.gtr4j;

/** The stream was cancelled while the operation ran; its outputs are undefined. */
public class CancelledException extends GtrException {
  private static final long serialVersionUID = 1L;

  /**
   * Says what went wrong in which operation.
   *
   * @param operation name of the operation
   * @param problem what went wrong
   */
  public CancelledException(String operation, String problem) {
    super(operation, problem);
  }
}
