package io.github.gtr4j.model;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.SplittableRandom;

/**
 * Reproducible random weights, for benchmarks of sizes whose checkpoint is not at hand: uniform
 * with the standard deviation of MAR's initialisation, around 1 for the weights of norms and around
 * 0 for everything else.
 */
final class RandomWeights implements WeightSource {
  private static final float STANDARD_DEVIATION = 0.02f;
  private static final float RANGE = STANDARD_DEVIATION * (float) Math.sqrt(12);
  private static final int WINDOW_FLOATS = 1 << 20;

  private final long seed;
  private ByteBuffer window;

  RandomWeights(long seed) {
    this.seed = seed;
  }

  private SplittableRandom random(String name) {
    return new SplittableRandom(seed * 31 + name.hashCode());
  }

  private static float next(SplittableRandom random, float centre) {
    // The 24 high bits, as a float in 0..1, around its mean.
    float unit = (random.nextInt() >>> 8) * 0x1p-24f;
    return centre + (unit - 0.5f) * RANGE;
  }

  @Override
  public void matrix(MarTensors.Entry entry, Rows rows) {
    int count = Math.toIntExact(entry.shape()[0]);
    int width = Math.toIntExact(entry.elements() / count);
    int most = Math.min(count, Math.max(1, WINDOW_FLOATS / width));
    if (window == null || window.capacity() < most * width * Float.BYTES) {
      window = ByteBuffer.allocateDirect(most * width * Float.BYTES).order(ByteOrder.nativeOrder());
    }
    FloatBuffer floats = window.asFloatBuffer();
    SplittableRandom random = random(entry.name());
    for (int first = 0; first < count; first += most) {
      int part = Math.min(most, count - first);
      for (int i = 0; i < part * width; i++) {
        floats.put(i, next(random, 0));
      }
      rows.accept(first, Tensor.wrap(window, DType.F32, part, width));
    }
  }

  @Override
  public float[] values(MarTensors.Entry entry) {
    boolean normWeight = entry.kind() == MarTensors.Kind.NORM && entry.name().endsWith(".weight");
    SplittableRandom random = random(entry.name());
    float[] values = new float[Math.toIntExact(entry.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = next(random, normWeight ? 1 : 0);
    }
    return values;
  }
}
