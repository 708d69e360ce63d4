package io.github.gtr4j;

/** An asynchronous failure made the device unusable; close it and open it again. */
public class DeviceLostException extends GtrException {
  private static final long serialVersionUID = 1L;

  /**
   * Says what went wrong in which operation.
   *
   * @param operation name of the operation
   * @param problem what went wrong
   */
  public DeviceLostException(String operation, String problem) {
    super(operation, problem);
  }
}
