package io.github.gtr4j.model;

import io.github.gtr4j.checkpoint.CheckpointSource;
import io.github.gtr4j.checkpoint.SafetensorsFile;
import io.github.gtr4j.checkpoint.TensorInfo;
import java.util.Arrays;

/** Vectors of an independent implementation, see native/tests/golden/README.md. */
public final class GoldenCases implements AutoCloseable {
  private final SafetensorsFile file;

  private GoldenCases(String resource) {
    file = SafetensorsFile.open(CheckpointSource.ofResource(GoldenCases.class, resource));
  }

  /** Vectors for {@link #tinyModel}. */
  public static GoldenCases tiny() {
    return new GoldenCases("/golden/tiny_cases.safetensors");
  }

  /** Vectors for {@link #fashionModel}. */
  public static GoldenCases fashion() {
    return new GoldenCases("/golden/fashion_cases.safetensors");
  }

  /** A random model: 8x8 tokens, width 64, 2 + 2 blocks, 10 classes. */
  public static CheckpointSource tinyModel() {
    return CheckpointSource.ofResource(GoldenCases.class, "/golden/tiny.safetensors");
  }

  /** The bundled Fashion-MNIST model. */
  public static CheckpointSource fashionModel() {
    return CheckpointSource.ofResource(GoldenCases.class, "/golden/fashion_mar.safetensors");
  }

  /** Whether there is a tensor of this name. */
  public boolean has(String name) {
    return file.tensors().containsKey(name);
  }

  /** A float tensor, flat. */
  public float[] floats(String name) {
    return file.readFloats(name);
  }

  /** An integer tensor, flat. */
  public int[] ints(String name) {
    return Arrays.stream(file.readLongs(name)).mapToInt(Math::toIntExact).toArray();
  }

  /** An integer tensor [N, ...] as N arrays. */
  public int[][] intRows(String name) {
    int[] all = ints(name);
    TensorInfo tensor = file.tensor(name);
    int rows = Math.toIntExact(tensor.extent(0));
    int width = all.length / rows;
    int[][] result = new int[rows][];
    for (int i = 0; i < rows; i++) {
      result[i] = Arrays.copyOfRange(all, i * width, (i + 1) * width);
    }
    return result;
  }

  /** A float tensor [N, ...] as N arrays. */
  public float[][] floatRows(String name) {
    float[] all = floats(name);
    int rows = Math.toIntExact(file.tensor(name).extent(0));
    int width = all.length / rows;
    float[][] result = new float[rows][];
    for (int i = 0; i < rows; i++) {
      result[i] = Arrays.copyOfRange(all, i * width, (i + 1) * width);
    }
    return result;
  }

  /** ‖a − b‖ / ‖b‖; NaN if anything is. */
  public static double relativeNorm(float[] a, float[] b) {
    if (a.length != b.length) {
      throw new AssertionError(a.length + " values, expected " + b.length);
    }
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < a.length; i++) {
      double d = (double) a[i] - b[i];
      difference += d * d;
      norm += (double) b[i] * b[i];
    }
    return Math.sqrt(difference / norm);
  }

  @Override
  public void close() {
    file.close();
  }
}
