package io.github.gtr4j.model;

import io.github.gtr4j.InvalidArgumentException;

/**
 * A tokenizer without a network: a token is a rectangle of pixels, row-major within the rectangle,
 * channels last, with values from −1 to 1. Models without one draw latents that need a VAE decoder.
 *
 * @param height pixels of a patch from top to bottom
 * @param width pixels of a patch from left to right
 * @param channels values per pixel: 1 is grey, 3 is red, green and blue
 */
public record PatchTokenizer(int height, int width, int channels) {
  /** Checks the sizes. */
  public PatchTokenizer {
    if (height < 1 || width < 1 || channels < 1) {
      throw new InvalidArgumentException(
          "tokenizer", height + "x" + width + ":" + channels + "; allowed are sizes of at least 1");
    }
  }

  /** Values of one token. */
  public long tokenChannels() {
    return (long) height * width * channels;
  }

  /** As written in a checkpoint's metadata, such as {@code patch:4x4:1}. */
  @Override
  public String toString() {
    return "patch:" + height + "x" + width + ":" + channels;
  }
}
