package io.github.gtr4j.kernel;

/** The operations, as exceptions and listeners name them. */
public enum Operation {
  /** {@link Linear}. */
  LINEAR("linear"),
  /** {@link LayerNorm}. */
  LAYER_NORM("layer_norm"),
  /** {@link Attention}. */
  ATTENTION("attention"),
  /** {@link Rows#embed}. */
  EMBED("embed"),
  /** {@link Rows#gather}. */
  GATHER("gather"),
  /** {@link Rows#scatter}. */
  SCATTER("scatter"),
  /** {@link Noise}. */
  NOISE("noise"),
  /** {@link FrequencyEnergy}. */
  FREQUENCY_ENERGY("frequency_energy"),
  /** {@link TopFraction}. */
  TOP_FRACTION("top_fraction"),
  /** {@link DiffusionHead#forward}. */
  HEAD_FORWARD("head_forward"),
  /** {@link DiffusionHead#chain}. */
  HEAD_CHAIN("head_chain"),
  /** {@link DiffusionHead#step}. */
  HEAD_STEP("head_step");

  private final String id;

  Operation(String id) {
    this.id = id;
  }

  /** Its name in messages. */
  public String id() {
    return id;
  }
}
