package io.github.gtr4j.sampling;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.model.MarModel;
import io.github.gtr4j.schedule.CellSet;
import io.github.gtr4j.schedule.GtrSchedule;
import io.github.gtr4j.schedule.Guidance;
import io.github.gtr4j.schedule.Plan;
import io.github.gtr4j.schedule.Schedule;
import io.github.gtr4j.schedule.TokenGrid;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * One image to draw. It depends on the model, the label, the plan, guidance, temperature, seed,
 * image index and known tokens, and on nothing else: not on what else is sampled at the same time,
 * nor on the number of threads. Immutable.
 */
public final class SamplingRequest {
  private static final int NO_LABEL = -1;

  private final int label;
  private final Plan plan;
  private final Guidance guidance;
  private final float temperature;
  private final long seed;
  private final long image;
  private final float[] knownTokens;
  private final SamplingListener listener;

  private SamplingRequest(Builder builder, Plan plan) {
    this.label = builder.label;
    this.plan = plan;
    this.guidance = builder.label == NO_LABEL ? Guidance.none() : builder.guidance;
    this.temperature = builder.temperature;
    this.seed = builder.seed;
    this.image = builder.image;
    this.knownTokens = builder.knownTokens;
    this.listener = builder.listener;
  }

  /**
   * Starts a request: no label, the default GtR schedule over the whole grid, no guidance,
   * temperature 1, seed 0, image 0.
   */
  public static Builder builder(MarModel model) {
    return builder(model.configuration());
  }

  /** Starts a request for any model with this configuration. */
  public static Builder builder(MarConfiguration configuration) {
    return new Builder(configuration);
  }

  /** The class that the image shows, or empty for a sample without a class. */
  public OptionalInt label() {
    return label == NO_LABEL ? OptionalInt.empty() : OptionalInt.of(label);
  }

  int labelOrMinusOne() {
    return label;
  }

  /** Which tokens are decoded when; the others are known from the start. */
  public Plan plan() {
    return plan;
  }

  /** Guidance; none for a sample without a class. */
  public Guidance guidance() {
    return guidance;
  }

  /** Factor of the noise of reverse steps. */
  public float temperature() {
    return temperature;
  }

  /** Seed of decode order and noise; all 64 bits count. */
  public long seed() {
    return seed;
  }

  /** Image index of decode order and noise, 0 to 2³² − 1. */
  public long image() {
    return image;
  }

  /** The tokens [cells, channels] of the whole grid, of which those outside the plan are known. */
  public Optional<float[]> knownTokens() {
    return Optional.ofNullable(knownTokens).map(float[]::clone);
  }

  /** Without a copy; null if the plan decodes the whole grid. */
  float[] knownTokensOrNull() {
    return knownTokens;
  }

  SamplingListener listener() {
    return listener;
  }

  /** Collects a request's values. */
  public static final class Builder {
    private final MarConfiguration configuration;
    private final TokenGrid grid;
    private int label = NO_LABEL;
    private Plan plan;
    private Guidance guidance = Guidance.none();
    private float temperature = 1;
    private long seed;
    private long image;
    private float[] knownTokens;
    private SamplingListener listener = progress -> {};

    private Builder(MarConfiguration configuration) {
      this.configuration = configuration;
      this.grid = new TokenGrid(configuration.gridHeight(), configuration.gridWidth());
    }

    /** The class to draw: 0 to the model's classes − 1. */
    public Builder label(int label) {
      if (label < 0 || label >= configuration.classes()) {
        throw new InvalidArgumentException(
            "label", label + "; allowed 0 to " + (configuration.classes() - 1));
      }
      this.label = label;
      return this;
    }

    /** The class to draw, by its name. */
    public Builder className(String name) {
      int index = configuration.classNames().indexOf(Objects.requireNonNull(name, "name"));
      if (index < 0) {
        throw new InvalidArgumentException(
            "className",
            "'"
                + name
                + "'; allowed "
                + (configuration.classNames().isEmpty()
                    ? "are labels only, since the model has no class names"
                    : "are " + String.join(", ", configuration.classNames())));
      }
      return label(index);
    }

    /** Draws without a class, and so without guidance. */
    public Builder noLabel() {
      this.label = NO_LABEL;
      return this;
    }

    /** Decodes the whole grid under a schedule. */
    public Builder schedule(Schedule schedule) {
      return plan(schedule.plan(grid));
    }

    /**
     * Decodes what the plan says; if that is not the whole grid, {@link #knownTokens} is needed.
     */
    public Builder plan(Plan plan) {
      if (!plan.grid().equals(grid)) {
        throw new InvalidArgumentException(
            "plan", "for a grid of " + plan.grid() + "; the model has " + grid);
      }
      this.plan = plan;
      return this;
    }

    /**
     * Tokens of the whole grid, [cells, channels]; those of the cells outside the plan are known
     * from the start, the others are not read.
     */
    public Builder knownTokens(float[] tokens) {
      long size = (long) configuration.tokens() * configuration.channels();
      if (tokens.length != size) {
        throw new InvalidArgumentException(
            "knownTokens",
            tokens.length
                + " values; a grid of "
                + grid
                + " tokens of "
                + configuration.channels()
                + " channels has "
                + size);
      }
      this.knownTokens = tokens.clone();
      return this;
    }

    /** Classifier-free guidance; not applied to a sample without a class. */
    public Builder guidance(Guidance guidance) {
      this.guidance = Objects.requireNonNull(guidance, "guidance");
      return this;
    }

    /** Factor of the noise of reverse steps: finite, not negative. */
    public Builder temperature(double temperature) {
      if (!(temperature >= 0 && temperature <= Float.MAX_VALUE)) {
        throw new InvalidArgumentException(
            "temperature", temperature + "; allowed are finite numbers from 0 on");
      }
      this.temperature = (float) temperature;
      return this;
    }

    /** Seed of decode order and noise; all 64 bits count. */
    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /** Image index of decode order and noise: 0 to 2³² − 1. */
    public Builder image(long image) {
      if (image < 0 || image >= 1L << 32) {
        throw new InvalidArgumentException("image", image + "; allowed 0 to " + ((1L << 32) - 1));
      }
      this.image = image;
      return this;
    }

    /** Hears of the request's progress. */
    public Builder listener(SamplingListener listener) {
      this.listener = Objects.requireNonNull(listener, "listener");
      return this;
    }

    /**
     * The request.
     *
     * @throws InvalidArgumentException if the grid is too small for the default schedule and no
     *     other was given, or if known tokens are missing or not finite
     */
    public SamplingRequest build() {
      Plan resolved = plan != null ? plan : GtrSchedule.defaults().plan(grid);
      checkKnown(resolved.cells());
      return new SamplingRequest(this, resolved);
    }

    private void checkKnown(CellSet decoded) {
      if (decoded.isAll()) {
        return;
      }
      if (knownTokens == null) {
        throw new InvalidArgumentException(
            "knownTokens",
            "none; the plan decodes "
                + decoded.size()
                + " of "
                + grid.cells()
                + " cells, the"
                + " others must be known");
      }
      int channels = configuration.channels();
      for (int cell : decoded.complement().toArray()) {
        for (int c = 0; c < channels; c++) {
          float value = knownTokens[cell * channels + c];
          if (!Float.isFinite(value)) {
            throw new InvalidArgumentException(
                "knownTokens", value + " in cell " + cell + "; allowed are finite numbers");
          }
        }
      }
    }
  }
}
