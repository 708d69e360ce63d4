package io.github.gtr4j;

/** The native side still uses what was to be changed or freed. */
public class DeviceBusyException extends GtrException {
  private static final long serialVersionUID = 1L;

  /**
   * Says what went wrong in which operation.
   *
   * @param operation name of the operation
   * @param problem what went wrong
   */
  public DeviceBusyException(String operation, String problem) {
    super(operation, problem);
  }
}
