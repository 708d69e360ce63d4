package io.github.gtr4j;

/** The device asked for does not exist on this machine or cannot be used. */
public class NoDeviceException extends GtrException {
  private static final long serialVersionUID = 1L;

  /**
   * Says what went wrong in which operation.
   *
   * @param operation name of the operation
   * @param problem what went wrong
   */
  public NoDeviceException(String operation, String problem) {
    super(operation, problem);
  }
}
