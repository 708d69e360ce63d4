package io.github.gtr4j.sampling;

import io.github.gtr4j.GtrException;

/** A request that failed while it ran: latents that are not finite, or what is the cause. */
public class SamplingException extends GtrException {
  private static final long serialVersionUID = 1L;

  private final int step;

  SamplingException(int step, String message, Throwable cause) {
    super(message, cause);
    this.step = step;
  }

  /** The decode step that failed, from 0, or −1 if the request had not begun. */
  public int step() {
    return step;
  }
}
