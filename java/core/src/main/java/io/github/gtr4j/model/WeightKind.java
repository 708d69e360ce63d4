package io.github.gtr4j.model;

/** Which of a training run's weights a checkpoint holds. */
public enum WeightKind {
  /** The exponential moving average over the training steps. */
  EMA,
  /** The weights after the last training step. */
  RAW;

  /** As written in a checkpoint's metadata. */
  @Override
  public String toString() {
    return this == EMA ? "ema" : "raw";
  }
}
