package io.github.gtr4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.InvalidArgumentException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsFileTest {
  @TempDir Path folder;

  private Path write(byte[] bytes) throws IOException {
    return Files.write(folder.resolve("model.safetensors"), bytes);
  }

  private static byte[] sixFloats() {
    ByteBuffer data = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 6; i++) {
      data.putFloat(i + 0.5f);
    }
    String header =
        "{\"__metadata__\":{\"heads\":\"4\",\"note\":\"\"},"
            + "\"w\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[0,24]}}";
    return Safetensors.file(header.length(), header.getBytes(), data.array());
  }

  @Test
  void readsWhatAFileHolds() throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(write(sixFloats()))) {
      assertEquals(Map.of("heads", "4", "note", ""), file.metadata());
      TensorInfo tensor = file.tensor("w");
      assertEquals(ElementType.F32, tensor.type());
      assertArrayEquals(new long[] {3, 2}, tensor.shape());
      assertEquals(2, tensor.rank());
      assertEquals(6, tensor.elements());
      assertEquals(24, tensor.bytes());
      assertEquals(2, tensor.elementsPerRow());
      assertTrue(tensor.hasShape(3, 2));
      assertFalse(tensor.hasShape(2, 3));
      assertFalse(tensor.hasShape(3, 2, 1));
      assertEquals("w F32 [3, 2]", tensor.toString());
      assertArrayEquals(new float[] {0.5f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f}, file.readFloats("w"));
      assertThrows(UnsupportedOperationException.class, () -> file.tensors().clear());
      assertThrows(UnsupportedOperationException.class, () -> file.metadata().clear());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 8, 9, 16, 23, 24, 25, 1 << 20})
  void windowsHoldWholeRowsAndAtLeastOne(int windowBytes) {
    CheckpointSource source = CheckpointSource.ofBytes("test", sixFloats());
    try (SafetensorsFile file = SafetensorsFile.open(source, windowBytes)) {
      List<Float> values = new ArrayList<>();
      List<Long> sizes = new ArrayList<>();
      file.read(
          file.tensor("w"),
          (firstRow, rows, data) -> {
            assertTrue(data.isDirect());
            assertEquals(ByteOrder.LITTLE_ENDIAN, data.order());
            assertEquals(values.size(), 2 * firstRow);
            assertEquals(8 * rows, data.remaining());
            sizes.add(rows);
            while (data.hasRemaining()) {
              values.add(data.getFloat());
            }
          });
      assertEquals(List.of(0.5f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f), values);
      long perWindow = Math.min(3, Math.max(1, windowBytes / 8));
      assertEquals(perWindow, sizes.get(0));
      assertEquals((3 + perWindow - 1) / perWindow, sizes.size());
    }
  }

  @Test
  void windowsOfOneFileShareTheirMemory() {
    try (SafetensorsFile file =
        SafetensorsFile.open(CheckpointSource.ofBytes("test", sixFloats()), 8)) {
      List<ByteBuffer> windows = new ArrayList<>();
      file.read(file.tensor("w"), (firstRow, rows, data) -> windows.add(data));
      assertEquals(3, windows.size());
      // What the last window holds shows through the first one.
      assertEquals(4.5f, windows.get(0).getFloat(0));
    }
  }

  @Test
  void rowsMayBeCutAnotherWay() {
    try (SafetensorsFile file = Safetensors.open(sixFloats())) {
      int[] calls = {0};
      file.read(
          file.tensor("w"),
          6,
          (firstRow, rows, data) -> {
            assertEquals(1, rows);
            calls[0]++;
          });
      assertEquals(1, calls[0]);
      for (long bad : new long[] {0, -1, 4, 7, Long.MAX_VALUE}) {
        InvalidArgumentException e =
            assertThrows(
                InvalidArgumentException.class,
                () -> file.read(file.tensor("w"), bad, (firstRow, rows, data) -> {}));
        assertEquals("elementsPerRow", e.argument());
      }
    }
  }

  @Test
  void everyTypeIsWidenedToFloatExactly() {
    String header =
        "{\"h\":{\"dtype\":\"F16\",\"shape\":[8],\"data_offsets\":[0,16]},"
            + "\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[16,20]}}";
    ByteBuffer data = ByteBuffer.allocate(20).order(ByteOrder.LITTLE_ENDIAN);
    for (int bits : new int[] {0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x8000, 0x7c00, 0x7e00}) {
      data.putShort((short) bits);
    }
    data.putShort((short) 0x3f80).putShort((short) 0xc049);
    byte[] bytes = Safetensors.file(header.length(), header.getBytes(), data.array());
    try (SafetensorsFile file = Safetensors.open(bytes)) {
      assertArrayEquals(
          new float[] {1, -2, 65504, 0x1p-14f, 0x1p-24f, -0.0f, Float.POSITIVE_INFINITY, Float.NaN},
          file.readFloats("h"));
      assertArrayEquals(new float[] {1, -3.140625f}, file.readFloats("b"));
    }
  }

  @Test
  void scalarsAndEmptyTensors() {
    String header =
        "{\"s\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
            + "\"e\":{\"dtype\":\"F32\",\"shape\":[0,9223372036854775807],\"data_offsets\":[8,8]}}";
    try (SafetensorsFile file = Safetensors.open(Safetensors.file(header, 8))) {
      assertArrayEquals(new long[] {0}, file.readLongs("s"));
      assertEquals(0, file.tensor("e").elements());
      assertEquals(0, file.readFloats("e").length);
    }
  }

  @Test
  void missingAndMistypedTensorsAreNamed() {
    try (SafetensorsFile file = Safetensors.open(sixFloats())) {
      CheckpointException missing =
          assertThrows(CheckpointException.class, () -> file.readFloats("bias"));
      assertEquals("test.safetensors: tensor 'bias' is missing", missing.getMessage());
      assertEquals("bias", missing.item());
      CheckpointException mistyped =
          assertThrows(CheckpointException.class, () -> file.readLongs("w"));
      assertEquals(
          "test.safetensors: tensor 'w' has elements of type F32; allowed: I64",
          mistyped.getMessage());
      assertEquals("w", mistyped.item());
    }
  }

  @Test
  void tensorsOfOtherFilesAreRefused() {
    try (SafetensorsFile one = Safetensors.open(sixFloats());
        SafetensorsFile other = Safetensors.open(sixFloats())) {
      assertThrows(
          InvalidArgumentException.class,
          () -> one.read(other.tensor("w"), (firstRow, rows, data) -> {}));
    }
  }

  @Test
  void fileThatShrinksWhileItIsReadIsAnException() throws IOException {
    Path path = write(sixFloats());
    try (SafetensorsFile file = SafetensorsFile.open(CheckpointSource.of(path), 8)) {
      try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
        channel.truncate(channel.size() - 12);
      }
      List<Long> rowsRead = new ArrayList<>();
      CheckpointException e =
          assertThrows(
              CheckpointException.class,
              () -> file.read(file.tensor("w"), (first, rows, data) -> rowsRead.add(first)));
      assertEquals(List.of(0L), rowsRead);
      assertEquals(path.toString(), e.file());
      assertEquals("w", e.item());
      assertTrue(e.problem().startsWith("the file was truncated while tensor 'w' was read"));
    }
  }

  @Test
  void readingAfterClosingIsAnException() throws IOException {
    SafetensorsFile file = SafetensorsFile.open(write(sixFloats()));
    file.close();
    file.close();
    assertThrows(CheckpointException.class, () -> file.readFloats("w"));
  }

  @Test
  void filesThatCannotBeOpenedAreNamed() {
    Path absent = folder.resolve("absent.safetensors");
    CheckpointException e =
        assertThrows(CheckpointException.class, () -> SafetensorsFile.open(absent));
    assertEquals(absent + ": no such file", e.getMessage());
    assertEquals(absent.toString(), e.file());
    CheckpointException directory =
        assertThrows(CheckpointException.class, () -> SafetensorsFile.open(folder));
    assertEquals(folder + ": is a directory, not a checkpoint file", directory.getMessage());
    CheckpointException resource =
        assertThrows(
            CheckpointException.class,
            () -> CheckpointSource.ofResource(getClass(), "/absent.safetensors"));
    assertEquals("/absent.safetensors: no such resource", resource.getMessage());
  }

  @Test
  void sourceIsClosedWithTheFileAndIfOpeningFails() {
    boolean[] closed = {false};
    SafetensorsFile good = SafetensorsFile.open(new Watched(sixFloats(), closed));
    assertFalse(closed[0]);
    good.close();
    assertTrue(closed[0]);
    closed[0] = false;
    assertThrows(
        CheckpointException.class, () -> SafetensorsFile.open(new Watched(new byte[3], closed)));
    assertTrue(closed[0]);
    closed[0] = false;
    assertThrows(
        InvalidArgumentException.class,
        () -> SafetensorsFile.open(new Watched(sixFloats(), closed), 0));
    assertTrue(closed[0]);
  }

  private record Watched(byte[] bytes, boolean[] closed) implements CheckpointSource {
    @Override
    public String name() {
      return "watched";
    }

    @Override
    public long size() {
      return bytes.length;
    }

    @Override
    public void read(long position, ByteBuffer target) throws IOException {
      CheckpointSource.ofBytes("inner", bytes).read(position, target);
    }

    @Override
    public void close() {
      closed[0] = true;
    }
  }

  @Test
  void exceptionCanLearnItsFileLater() {
    CheckpointException fault = new CheckpointException("heads", "metadata key 'heads' is odd");
    assertEquals("", fault.file());
    assertEquals("metadata key 'heads' is odd", fault.getMessage());
    CheckpointException named = fault.inFile("m.safetensors");
    assertEquals("m.safetensors: metadata key 'heads' is odd", named.getMessage());
    assertEquals("heads", named.item());
    assertSame(fault, named.getCause());
  }
}
