package io.github.gtr4j.oracle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;

/** Random inputs, tensors in direct buffers, and the comparison of results. */
final class Numbers {
  private final Random random;

  Numbers(long seed) {
    random = new Random(seed);
  }

  /** Normal numbers times a factor. */
  float[] normal(long n, double factor) {
    float[] values = new float[Math.toIntExact(n)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() * factor);
    }
    return values;
  }

  /** Weights of a linear layer with that many inputs: outputs stay about as large as inputs. */
  float[] weights(long outputs, long inputs) {
    return normal(outputs * inputs, 1 / Math.sqrt(inputs));
  }

  static Tensor tensor(float[] values, long... shape) {
    ByteBuffer buffer = buffer(4L * values.length);
    buffer.asFloatBuffer().put(values);
    return Tensor.wrap(buffer, DType.F32, shape);
  }

  static Tensor tensor(DType dtype, int... values) {
    ByteBuffer buffer = buffer(4L * values.length);
    buffer.asIntBuffer().put(values);
    return Tensor.wrap(buffer, dtype, values.length);
  }

  /** An output before the call. */
  static Tensor poisoned(long... shape) {
    float[] values = new float[Math.toIntExact(Arrays.stream(shape).reduce(1, (a, b) -> a * b))];
    Arrays.fill(values, Float.NaN);
    return tensor(values, shape);
  }

  static float[] values(Tensor tensor) {
    float[] values = new float[Math.toIntExact(tensor.elements())];
    tensor.asByteBuffer().asFloatBuffer().get(values);
    return values;
  }

  private static ByteBuffer buffer(long bytes) {
    return ByteBuffer.allocateDirect(Math.toIntExact(bytes)).order(ByteOrder.nativeOrder());
  }

  /** Every element is within tolerance · (root mean square of all + its own size). NaN fails. */
  static void assertClose(org.bytedeco.pytorch.Tensor expected, Tensor actual, double tolerance) {
    assertClose(Torch.values(expected), values(actual), tolerance);
  }

  static void assertClose(double[] expected, float[] actual, double tolerance) {
    assertEquals(expected.length, actual.length);
    double squares = 0;
    for (double e : expected) {
      squares += e * e;
    }
    double typical = Math.sqrt(squares / expected.length);
    for (int i = 0; i < expected.length; i++) {
      double error = Math.abs(actual[i] - expected[i]);
      double allowed = tolerance * (typical + Math.abs(expected[i]));
      assertTrue(
          error <= allowed, "element " + i + " is " + actual[i] + ", libtorch says " + expected[i]);
    }
  }
}
