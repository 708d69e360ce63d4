package io.github.gtr4j.schedule;

import io.github.gtr4j.InvalidArgumentException;

/**
 * The counter-based random generator Philox4x32-10 (Salmon et al., "Parallel random numbers: as
 * easy as 1, 2, 3", SC 2011), addressed as the native noise is: the key is the seed, the counter is
 * (channel / 4, draw, cell, image). So a random number depends on what it is for, and not on when
 * it is drawn.
 */
public final class Philox {
  /** Image indices lie below this. */
  public static final long IMAGES = 1L << 32;

  /** The draw that decode orders use; the noise of diffusion steps counts up from 0. */
  static final int ORDER_DRAW = 0xFFFFFFFF;

  private static final int ROUNDS = 10;
  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final int WEYL_0 = 0x9E3779B9;
  private static final int WEYL_1 = 0xBB67AE85;
  private static final long LOW = 0xFFFFFFFFL;

  private Philox() {}

  /**
   * The four random words of one counter.
   *
   * @param seed all 64 bits count
   * @param block channel / 4
   * @param draw 0 for the initial x_T, s + 1 for reverse step s, 0xFFFFFFFF for decode orders
   * @param cell index of the cell
   * @param image index of the image, an unsigned 32-bit number
   */
  public static int[] words(long seed, int block, int draw, int cell, int image) {
    int key0 = (int) seed;
    int key1 = (int) (seed >>> 32);
    int c0 = block;
    int c1 = draw;
    int c2 = cell;
    int c3 = image;
    for (int round = 0; round < ROUNDS; round++) {
      long product0 = MULTIPLIER_0 * (c0 & LOW);
      long product1 = MULTIPLIER_1 * (c2 & LOW);
      c0 = (int) (product1 >>> 32) ^ c1 ^ key0;
      c1 = (int) product1;
      c2 = (int) (product0 >>> 32) ^ c3 ^ key1;
      c3 = (int) product0;
      key0 += WEYL_0;
      key1 += WEYL_1;
    }
    return new int[] {c0, c1, c2, c3};
  }

  /** The number, unsigned, by which a cell is sorted into the decode order of an image. */
  public static int orderKey(long seed, int cell, int image) {
    return words(seed, 0, ORDER_DRAW, cell, image)[0];
  }

  /** Checks that an image index is an unsigned 32-bit number and returns its bits. */
  static int imageBits(long image) {
    if (image < 0 || image >= IMAGES) {
      throw new InvalidArgumentException("image", image + "; allowed 0 to " + (IMAGES - 1));
    }
    return (int) image;
  }
}
