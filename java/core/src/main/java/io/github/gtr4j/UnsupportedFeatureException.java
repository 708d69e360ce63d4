package io.github.gtr4j;

/** What was asked for is valid, but the device's backend cannot do it. */
public class UnsupportedFeatureException extends GtrException {
  private static final long serialVersionUID = 1L;

  /**
   * Says what went wrong in which operation.
   *
   * @param operation name of the operation
   * @param problem what went wrong
   */
  public UnsupportedFeatureException(String operation, String problem) {
    super(operation, problem);
  }
}
