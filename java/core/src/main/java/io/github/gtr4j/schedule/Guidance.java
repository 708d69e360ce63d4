package io.github.gtr4j.schedule;

import io.github.gtr4j.InvalidArgumentException;
import java.util.Locale;
import java.util.Objects;

/**
 * Classifier-free guidance: epsilon = unconditional + scale * (conditional - unconditional), with a
 * scale for each decode step. Immutable.
 */
public final class Guidance {
  /** How the scale depends on the decode step. */
  public enum Shape {
    /** Grows from 1 to cfg with the share of decoded tokens: early steps have little to lean on. */
    LINEAR,
    /** Is cfg throughout. */
    CONSTANT
  }

  private static final Guidance NONE = new Guidance(Shape.CONSTANT, 1);

  private final Shape shape;
  private final double cfg;

  private Guidance(Shape shape, double cfg) {
    this.shape = shape;
    this.cfg = cfg;
  }

  /**
   * Guidance of a shape.
   *
   * @param cfg finite and not negative; 1 is no guidance
   */
  public static Guidance of(Shape shape, double cfg) {
    Objects.requireNonNull(shape, "shape");
    if (!(cfg >= 0 && cfg <= Float.MAX_VALUE)) {
      throw new InvalidArgumentException("cfg", cfg + "; allowed are finite numbers from 0 on");
    }
    return cfg == 1 ? NONE : new Guidance(shape, cfg + 0.0);
  }

  /** Grows from 1 to cfg with the share of decoded tokens. */
  public static Guidance linear(double cfg) {
    return of(Shape.LINEAR, cfg);
  }

  /** The same scale at every step. */
  public static Guidance constant(double cfg) {
    return of(Shape.CONSTANT, cfg);
  }

  /** No guidance: the unconditional half is not run. */
  public static Guidance none() {
    return NONE;
  }

  /** How the scale depends on the decode step. */
  public Shape shape() {
    return shape;
  }

  /** The scale at the end. */
  public double cfg() {
    return cfg;
  }

  /** Whether the unconditional half is needed. */
  public boolean isActive() {
    return cfg != 1;
  }

  /** The scale at a step of a plan. */
  public double scale(Plan plan, DecodeStep step) {
    if (shape == Shape.CONSTANT) {
      return cfg;
    }
    return 1 + (cfg - 1) * step.guidanceTokens() / plan.grid().cells();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Guidance guidance && shape == guidance.shape && cfg == guidance.cfg;
  }

  @Override
  public int hashCode() {
    return 31 * shape.hashCode() + Double.hashCode(cfg);
  }

  @Override
  public String toString() {
    return isActive() ? shape.name().toLowerCase(Locale.ROOT) + " " + cfg : "none";
  }
}
