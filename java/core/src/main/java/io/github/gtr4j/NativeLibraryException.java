package io.github.gtr4j;

/** The native libraries cannot be loaded; the message, one line, says what to do. */
public class NativeLibraryException extends GtrException {
  private static final long serialVersionUID = 1L;

  /** Says what is wrong and what to do. */
  public NativeLibraryException(String message) {
    super(message);
  }

  /** Says what is wrong and what to do, and what made it go wrong. */
  public NativeLibraryException(String message, Throwable cause) {
    super(message, cause);
  }
}
