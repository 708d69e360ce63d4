package io.github.gtr4j;

/** Something that gtr4j refuses or failed at; its subclasses say what. */
public class GtrException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Says what went wrong. */
  public GtrException(String message) {
    super(message);
  }

  /** Says what went wrong, and what made it go wrong. */
  public GtrException(String message, Throwable cause) {
    super(message, cause);
  }
}
