package io.github.gtr4j.bench.cpu;

import java.util.SplittableRandom;

/** Reproducible random operands. */
final class Numbers {
  private Numbers() {}

  /** Uniform numbers around a centre, with a standard deviation. */
  static float[] around(float centre, double deviation, long count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float range = (float) (deviation * Math.sqrt(12));
    float[] values = new float[Math.toIntExact(count)];
    for (int i = 0; i < values.length; i++) {
      values[i] = centre + ((random.nextInt() >>> 8) * 0x1p-24f - 0.5f) * range;
    }
    return values;
  }

  /** Uniform numbers around 0, with a standard deviation. */
  static float[] of(double deviation, long count, long seed) {
    return around(0, deviation, count, seed);
  }
}
