package io.github.gtr4j.checkpoint;

/** IEEE 754 half precision; the JDK converts it only from version 20 on. */
final class HalfPrecision {
  private static final int FRACTION_BITS = 10;
  private static final int MAX_EXPONENT = 31;
  private static final float SMALLEST = 0x1p-24f;

  private HalfPrecision() {}

  /** Exact, as every half is a float. */
  static float toFloat(short bits) {
    int sign = (bits & 0x8000) << 16;
    int exponent = bits >> FRACTION_BITS & MAX_EXPONENT;
    int fraction = bits & (1 << FRACTION_BITS) - 1;
    if (exponent == 0) {
      float magnitude = fraction * SMALLEST;
      return sign == 0 ? magnitude : -magnitude;
    }
    int wideExponent = exponent == MAX_EXPONENT ? 255 : exponent - 15 + 127;
    return Float.intBitsToFloat(sign | wideExponent << 23 | fraction << 23 - FRACTION_BITS);
  }
}
