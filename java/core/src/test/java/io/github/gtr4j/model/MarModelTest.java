package io.github.gtr4j.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.checkpoint.CheckpointException;
import io.github.gtr4j.checkpoint.CheckpointSource;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.MemoryStats;
import io.github.gtr4j.kernel.Precision;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Loading whole files: each fault is an exception that names file and item, and leaves nothing
 * behind.
 */
class MarModelTest {
  @TempDir private Path folder;

  private static byte[] tiny() throws IOException {
    try (InputStream in = MarModelTest.class.getResourceAsStream("/golden/tiny.safetensors")) {
      return in.readAllBytes();
    }
  }

  /** The model with a text of the header replaced by one of the same length. */
  private static byte[] edited(String from, String to) throws IOException {
    byte[] file = tiny();
    int length = (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    String header = new String(file, 8, length, StandardCharsets.UTF_8);
    assertTrue(header.contains(from), from);
    byte[] changed = header.replace(from, to).getBytes(StandardCharsets.UTF_8);
    assertEquals(length, changed.length, "same length");
    System.arraycopy(changed, 0, file, 8, length);
    return file;
  }

  private CheckpointException refused(byte[] bytes) throws IOException {
    Path file = folder.resolve("broken.safetensors");
    Files.write(file, bytes);
    try (Device device = Device.cpu()) {
      MemoryStats before = device.memoryStats();
      CheckpointException e =
          assertThrows(CheckpointException.class, () -> MarModel.load(device, file, Precision.F32));
      assertEquals(before.liveBytes(), device.memoryStats().liveBytes());
      assertEquals(before.handles(), device.memoryStats().handles());
      assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
      assertFalse(e.getMessage().contains("\n"), e.getMessage());
      return e;
    }
  }

  @Test
  void loadsAFile() throws IOException {
    Path file = folder.resolve("tiny.safetensors");
    Files.write(file, tiny());
    try (Device device = Device.cpu();
        MarModel model = MarModel.load(device, file, Precision.F32)) {
      assertEquals(64, model.configuration().width());
      assertEquals(8, model.configuration().buffer());
      assertEquals(4, model.configuration().heads());
      assertEquals(Precision.F32, model.precision());
      assertEquals(device, model.device());
      assertTrue(model.weightBytes() > 4 * model.configuration().parameters());
    }
  }

  @Test
  void readsTheConfigurationOfTheBundledModel() {
    MarConfiguration fashion = MarModel.readConfiguration(GoldenCases.fashionModel());
    assertEquals(new PatchTokenizer(4, 4, 1), fashion.tokenizer().orElseThrow());
    assertEquals(10, fashion.classNames().size());
    assertEquals("ankle boot", fashion.classNames().get(9));
    assertEquals(1.0, fashion.x0Clip().orElseThrow());
    assertEquals(WeightKind.EMA, fashion.weights().orElseThrow());
    assertEquals(16, fashion.buffer());
    assertEquals(3, fashion.headBlocks());
    assertEquals(256, fashion.headWidth());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "mask_token | mask_tokem | mask_token",
        "decoder_blocks.1.norm2.bias | decoder_blocks.1.norm3.bias | decoder_blocks.1.norm2.bias",
        "\"heads\":\"4\" | \"heads\":\"5\" | heads",
        "\"heads\":\"4\" | \"heads\":\"x\" | heads",
        "\"heads\":\"4\" | \"grid\":\"99\" | grid",
        "\"heads\":\"4\" | \"haeds\":\"4\" | heads"
      })
  void namesWhatIsWrong(String from, String to, String item) throws IOException {
    assertEquals(item, refused(edited(from, to)).item());
  }

  @Test
  void namesATensorOfAnotherType() throws IOException {
    byte[] file = tiny();
    int length = (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    String header = new String(file, 8, length, StandardCharsets.UTF_8);
    int at = header.indexOf("F32", header.indexOf("\"mask_token\""));
    file[8 + at] = 'I';
    CheckpointException e = refused(file);
    assertEquals("mask_token", e.item());
    assertTrue(
        e.problem().contains("I32") && e.problem().contains("F32, F16 and BF16"), e.problem());
  }

  @Test
  void namesATensorThatTheFileEndsIn() throws IOException {
    byte[] file = tiny();
    refused(Arrays.copyOf(file, file.length - 4));
    refused(Arrays.copyOf(file, 100));
    refused(new byte[0]);
  }

  @Test
  void aMissingFileIsNamed() {
    Path file = folder.resolve("none.safetensors");
    try (Device device = Device.cpu()) {
      CheckpointException e =
          assertThrows(CheckpointException.class, () -> MarModel.load(device, file, Precision.F32));
      assertTrue(e.getMessage().contains("none.safetensors"), e.getMessage());
    }
  }

  @Test
  void theSourceIsClosedWhateverHappens() throws IOException {
    for (byte[] bytes : new byte[][] {tiny(), edited("mask_token", "mask_tokem"), new byte[3]}) {
      boolean[] closed = new boolean[1];
      CheckpointSource memory = CheckpointSource.ofBytes("memory", bytes);
      CheckpointSource source =
          new CheckpointSource() {
            @Override
            public String name() {
              return memory.name();
            }

            @Override
            public long size() throws IOException {
              return memory.size();
            }

            @Override
            public void read(long position, ByteBuffer target) throws IOException {
              memory.read(position, target);
            }

            @Override
            public void close() throws IOException {
              closed[0] = true;
              memory.close();
            }
          };
      try {
        MarModel.readConfiguration(source);
      } catch (CheckpointException e) {
        assertTrue(bytes.length == 3 || e.item().equals("mask_token"), e.getMessage());
      }
      assertTrue(closed[0]);
    }
  }
}
