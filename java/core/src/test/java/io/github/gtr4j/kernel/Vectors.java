package io.github.gtr4j.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.checkpoint.CheckpointSource;
import io.github.gtr4j.checkpoint.SafetensorsFile;
import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.device.TestMemory;

/** The golden vectors as tensors, and comparisons against them. */
final class Vectors implements AutoCloseable {
  private final SafetensorsFile file;

  Vectors(String name) {
    file =
        SafetensorsFile.open(
            CheckpointSource.ofResource(Vectors.class, "/golden/" + name + ".safetensors"));
  }

  SafetensorsFile file() {
    return file;
  }

  Tensor floats(String name) {
    return TestMemory.floats(file.readFloats(name), file.tensor(name).shape());
  }

  Tensor ints(String name, DType dtype) {
    long[] values = file.readLongs(name);
    int[] narrow = new int[values.length];
    for (int i = 0; i < values.length; i++) {
      narrow[i] = Math.toIntExact(values[i]);
    }
    return TestMemory.ints(dtype, narrow);
  }

  /** Sets a head to the tensors of a checkpoint. */
  static void setHead(DiffusionHead head, SafetensorsFile checkpoint) {
    String prefix = "diffloss.net.";
    for (String name : checkpoint.tensors().keySet()) {
      if (name.startsWith(prefix)) {
        Tensor value =
            TestMemory.floats(checkpoint.readFloats(name), checkpoint.tensor(name).shape());
        head.set(name.substring(prefix.length()), 0, value);
      }
    }
  }

  /** Relative norm of the difference of two arrays is at most limit. NaN fails. */
  static void assertClose(float[] expected, float[] actual, double limit) {
    assertEquals(expected.length, actual.length);
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow((double) actual[i] - expected[i], 2);
      norm += Math.pow(expected[i], 2);
    }
    double error = Math.sqrt(difference / norm);
    assertTrue(error <= limit, "relative norm of the difference is " + error + ", not " + limit);
  }

  @Override
  public void close() {
    file.close();
  }
}
