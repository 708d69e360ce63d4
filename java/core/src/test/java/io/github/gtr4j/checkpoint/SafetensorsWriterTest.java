package io.github.gtr4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.InvalidArgumentException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
  @TempDir Path folder;

  @Test
  void whatIsWrittenIsRead() throws IOException {
    Path path = folder.resolve("out.safetensors");
    float[] latents = new float[300_000];
    Random random = new Random(3);
    for (int i = 0; i < latents.length; i++) {
      latents[i] = Float.intBitsToFloat(random.nextInt() & 0xFF7FFFFF);
    }
    long[] order = {3, -1, Long.MAX_VALUE, Long.MIN_VALUE};
    new SafetensorsWriter()
        .metadata("seed", "7 \"quoted\" \u00e9\n")
        .bytes("mask", ElementType.U8, new byte[] {1, 0, 1}, 3)
        .floats("latents", latents, 2, 150_000)
        .longs("order", order, 2, 2)
        .floats("empty", new float[0], 0, 5)
        .longs("scalar", new long[] {9})
        .write(path);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertEquals(Map.of("seed", "7 \"quoted\" \u00e9\n"), file.metadata());
      assertArrayEquals(latents, file.readFloats("latents"));
      assertArrayEquals(order, file.readLongs("order"));
      assertEquals(0, file.readFloats("empty").length);
      assertArrayEquals(new long[] {9}, file.readLongs("scalar"));
      assertTrue(file.tensor("latents").hasShape(2, 150_000));
      assertTrue(file.tensor("scalar").hasShape());
      for (TensorInfo tensor : file.tensors().values()) {
        assertEquals(0, tensor.offset() % tensor.type().bytes(), tensor.toString());
      }
    }
    long headerBytes = Long.reverseBytes(ByteBuffer.wrap(Files.readAllBytes(path)).getLong());
    assertEquals(0, headerBytes % 8);
  }

  @Test
  void sameContentGivesSameBytes() throws IOException {
    Path one = folder.resolve("one");
    Path two = folder.resolve("two");
    new SafetensorsWriter().floats("a", new float[] {1}, 1).longs("b", new long[1], 1).write(one);
    new SafetensorsWriter().longs("b", new long[1], 1).floats("a", new float[] {1}, 1).write(two);
    assertEquals(-1, Files.mismatch(one, two));
  }

  @Test
  void shapesAndNamesAreChecked() {
    SafetensorsWriter writer = new SafetensorsWriter().floats("a", new float[4], 2, 2);
    for (long[] shape : new long[][] {{3}, {}, {-2, -2}, {1L << 32, 1L << 32}, {0}}) {
      InvalidArgumentException e =
          assertThrows(
              InvalidArgumentException.class, () -> writer.floats("b", new float[4], shape));
      assertEquals("shape", e.argument());
      assertEquals(
          TensorInfo.shapeText(shape) + " of tensor 'b' does not match its 4 values", e.problem());
    }
    assertEquals(
        "name: tensor 'a' was added before",
        assertThrows(InvalidArgumentException.class, () -> writer.longs("a", new long[1], 1))
            .getMessage());
    assertThrows(
        InvalidArgumentException.class, () -> writer.longs("__metadata__", new long[1], 1));
    assertThrows(
        InvalidArgumentException.class, () -> writer.bytes("c", ElementType.F32, new byte[5], 1));
  }

  @Test
  void failureLeavesNothingBehind() throws IOException {
    SafetensorsWriter writer = new SafetensorsWriter().floats("a", new float[4], 4);
    Path absent = folder.resolve("absent/out.safetensors");
    IOException e = assertThrows(IOException.class, () -> writer.write(absent));
    assertTrue(e.getMessage().startsWith(absent + ": cannot be written: the directory "));
    assertThrows(IOException.class, () -> writer.write(folder));
    try (var files = Files.list(folder)) {
      assertEquals(List.of(), files.toList());
    }
  }

  @Test
  void bytesOfAnyTypeAreKept() throws IOException {
    Path path = folder.resolve("any");
    byte[] values = {1, 2, 3, 4, 5, 6, 7, 8};
    new SafetensorsWriter().bytes("h", ElementType.BF16, values, 4).write(path);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      byte[] read = new byte[8];
      file.read(
          file.tensor("h"),
          (first, rows, data) -> data.get(read, (int) (2 * first), (int) (2 * rows)));
      assertTrue(Arrays.equals(values, read));
    }
  }
}
