package io.github.gtr4j.image;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.schedule.TokenGrid;

/**
 * Tokens that are patches of pixels: a token holds the values, -1 (black) to 1 (white), of a
 * rectangle, row by row, the channels of a pixel side by side.
 *
 * @param patchHeight rows of pixels in a patch
 * @param patchWidth columns of pixels in a patch
 * @param channels 1 (grey) or 3 (RGB)
 */
public record Patches(int patchHeight, int patchWidth, int channels) {
  private static final int MAX_SIDE = 1 << 12;

  /** Checks the sizes. */
  public Patches {
    if (channels != 1 && channels != 3) {
      throw new InvalidArgumentException("channels", channels + "; allowed 1 (grey) and 3 (RGB)");
    }
    if (patchHeight < 1 || patchWidth < 1 || patchHeight > MAX_SIDE || patchWidth > MAX_SIDE) {
      throw new InvalidArgumentException(
          "patch", patchHeight + "x" + patchWidth + " pixels; allowed 1 to " + MAX_SIDE);
    }
  }

  /** Values of a token. */
  public int tokenChannels() {
    return patchHeight * patchWidth * channels;
  }

  /**
   * Paints an image.
   *
   * @param latents the tokens' values as [channel of the token, row, column] of the grid
   */
  public Raster toRaster(TokenGrid grid, float[] latents) {
    if (latents.length != (long) tokenChannels() * grid.cells()) {
      throw new InvalidArgumentException(
          "latents",
          latents.length
              + " values; "
              + grid.cells()
              + " tokens of "
              + tokenChannels()
              + " values are "
              + (long) tokenChannels() * grid.cells());
    }
    Raster raster = new Raster(grid.width() * patchWidth, grid.height() * patchHeight, channels);
    for (int y = 0; y < raster.height(); y++) {
      for (int x = 0; x < raster.width(); x++) {
        int cell = grid.cell(y / patchHeight, x / patchWidth);
        int inPatch = (y % patchHeight * patchWidth + x % patchWidth) * channels;
        for (int channel = 0; channel < channels; channel++) {
          float value = latents[(inPatch + channel) * grid.cells() + cell];
          raster.setSample(x, y, channel, toSample(value));
        }
      }
    }
    return raster;
  }

  /** The nearest of 256 levels; values outside -1..1 are clipped. */
  static int toSample(float value) {
    return Math.max(0, Math.min(255, Math.round((value + 1) * 127.5f)));
  }
}
