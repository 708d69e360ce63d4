package io.github.gtr4j.schedule;

import io.github.gtr4j.InvalidArgumentException;

/**
 * How many floating-point operations a plan takes on a model of given sizes: 2 per multiply-add of
 * the matrix products, with no savings counted.
 *
 * @param encoderBlocks transformer blocks over buffer and known tokens
 * @param decoderBlocks transformer blocks over buffer and all tokens
 * @param width of the transformer, D
 * @param buffer number of buffer places
 * @param channels values of a token, C
 * @param headBlocks residual blocks of the diffusion head
 * @param headWidth of the diffusion head, w
 */
public record FlopFormula(
    int encoderBlocks,
    int decoderBlocks,
    int width,
    int buffer,
    int channels,
    int headBlocks,
    int headWidth) {

  /** Checks the sizes. */
  public FlopFormula {
    check("encoderBlocks", encoderBlocks, 0);
    check("decoderBlocks", decoderBlocks, 0);
    check("width", width, 1);
    check("buffer", buffer, 0);
    check("channels", channels, 1);
    check("headBlocks", headBlocks, 0);
    check("headWidth", headWidth, 1);
  }

  private static void check(String argument, int value, int least) {
    if (value < least) {
      throw new InvalidArgumentException(argument, value + "; allowed from " + least + " on");
    }
  }

  /**
   * Operations of one image.
   *
   * @param guided whether the unconditional half runs too, which doubles everything
   */
  public Flops of(Plan plan, boolean guided) {
    int halves = guided ? 2 : 1;
    double tokens = plan.grid().cells();
    double backbone = 0;
    double head = 0;
    for (DecodeStep step : plan.steps()) {
      double encoderPlaces = (double) buffer + step.known();
      backbone +=
          encoderBlocks * block(encoderPlaces)
              + decoderBlocks * block(buffer + tokens)
              + 2 * encoderPlaces * width * width
              + 2 * tokens * channels * width;
      head += step.totalDiffusionSteps() * headRow();
    }
    return new Flops(halves * backbone, halves * head);
  }

  /** Operations of one block over n places: four projections, the MLP, and attention. */
  private double block(double n) {
    return 24 * n * width * width + 4 * n * n * width;
  }

  /** Operations of one reverse step of one token. */
  private double headRow() {
    double w = headWidth;
    return 2
        * (channels * w
            + width * w
            + 5 * headBlocks * w * w
            + 2 * w * w
            + 2 * w * channels
            + 256 * w
            + w * w);
  }

  /**
   * Floating-point operations, as doubles since those of a large batch exceed a long; whole numbers
   * up to 2^53.
   *
   * @param backbone of encoder and decoder
   * @param head of the diffusion head
   */
  public record Flops(double backbone, double head) {
    /** No operations. */
    public static final Flops ZERO = new Flops(0, 0);

    /** Of backbone and head. */
    public double total() {
      return backbone + head;
    }

    /** Those of two pieces of work. */
    public Flops plus(Flops other) {
      return new Flops(backbone + other.backbone, head + other.head);
    }

    /** Those of a number of images. */
    public Flops times(long images) {
      return new Flops(backbone * images, head * images);
    }
  }
}
