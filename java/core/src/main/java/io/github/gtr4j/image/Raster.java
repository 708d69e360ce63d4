package io.github.gtr4j.image;

import io.github.gtr4j.InvalidArgumentException;
import java.util.Arrays;

/** Pixels of 8 bits per channel: one channel is grey, three are red, green and blue. */
public final class Raster {
  /** Most bytes that a picture may have. */
  static final int MAX_BYTES = 1 << 30;

  private final int width;
  private final int height;
  private final int channels;
  private final byte[] samples;

  /**
   * A black picture.
   *
   * @param channels 1 or 3
   */
  public Raster(int width, int height, int channels) {
    if (channels != 1 && channels != 3) {
      throw new InvalidArgumentException("channels", channels + "; allowed 1 (grey) and 3 (RGB)");
    }
    if (width < 1 || height < 1 || (long) width * height * channels > MAX_BYTES) {
      throw new InvalidArgumentException(
          "size",
          width + "x" + height + " pixels; allowed from 1x1 on, up to " + MAX_BYTES + " bytes");
    }
    this.width = width;
    this.height = height;
    this.channels = channels;
    this.samples = new byte[width * height * channels];
  }

  /** Pixels from left to right. */
  public int width() {
    return width;
  }

  /** Pixels from top to bottom. */
  public int height() {
    return height;
  }

  /** 1 or 3. */
  public int channels() {
    return channels;
  }

  /** One channel of a pixel, 0 to 255. */
  public int sample(int x, int y, int channel) {
    return samples[index(x, y) + channel] & 0xFF;
  }

  /** Sets one channel of a pixel, 0 to 255. */
  public void setSample(int x, int y, int channel, int value) {
    samples[index(x, y) + channel] = (byte) value;
  }

  /**
   * Sets a pixel to a colour; in a grey picture to its green, which is nearest to its lightness.
   */
  void setPixel(int x, int y, int rgb) {
    int at = index(x, y);
    if (channels == 1) {
      samples[at] = (byte) (rgb >> 8);
    } else {
      samples[at] = (byte) (rgb >> 16);
      samples[at + 1] = (byte) (rgb >> 8);
      samples[at + 2] = (byte) rgb;
    }
  }

  /** Fills a rectangle, of which only the part inside the picture is drawn. */
  void fill(int left, int top, int fillWidth, int fillHeight, int rgb) {
    for (int y = Math.max(0, top); y < Math.min(height, top + fillHeight); y++) {
      for (int x = Math.max(0, left); x < Math.min(width, left + fillWidth); x++) {
        setPixel(x, y, rgb);
      }
    }
  }

  /** Draws another picture, each of its pixels as a square. */
  void draw(Raster picture, int left, int top, int scale) {
    for (int y = 0; y < picture.height * scale; y++) {
      for (int x = 0; x < picture.width * scale; x++) {
        int from = picture.index(x / scale, y / scale);
        int rgb =
            picture.channels == 1
                ? (picture.samples[from] & 0xFF) * 0x010101
                : (picture.samples[from] & 0xFF) << 16
                    | (picture.samples[from + 1] & 0xFF) << 8
                    | picture.samples[from + 2] & 0xFF;
        setPixel(left + x, top + y, rgb);
      }
    }
  }

  /** Copies one row of samples. */
  void copyRow(int y, byte[] target, int offset) {
    int rowBytes = width * channels;
    System.arraycopy(samples, y * rowBytes, target, offset, rowBytes);
  }

  private int index(int x, int y) {
    if (x < 0 || x >= width || y < 0 || y >= height) {
      throw new IndexOutOfBoundsException(
          "(" + x + ", " + y + ") in a picture of " + width + "x" + height);
    }
    return (y * width + x) * channels;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Raster raster
        && width == raster.width
        && channels == raster.channels
        && Arrays.equals(samples, raster.samples);
  }

  @Override
  public int hashCode() {
    return 31 * width + Arrays.hashCode(samples);
  }

  @Override
  public String toString() {
    return width + "x" + height + (channels == 1 ? " grey" : " RGB");
  }
}
