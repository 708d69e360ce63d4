package io.github.gtr4j.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.InvalidArgumentException;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class TensorTest {
  private static final float[] VALUES = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

  private static InvalidArgumentException assertRefused(String argument, Executable use) {
    InvalidArgumentException e = assertThrows(InvalidArgumentException.class, use);
    assertEquals(argument, e.argument(), e.getMessage());
    assertEquals(1, e.getMessage().lines().count());
    return e;
  }

  @Test
  void wrapsADirectBufferFromItsPosition() {
    ByteBuffer buffer = TestMemory.bytes(64);
    buffer.asFloatBuffer().put(VALUES);
    buffer.position(8);
    Tensor tensor = Tensor.wrap(buffer, DType.F32, 2, 3);
    assertEquals(56, tensor.size());
    assertEquals(new Pointer(buffer.slice()).address(), tensor.address());
    assertArrayEquals(new float[] {2, 3, 4, 5, 6, 7}, TestMemory.floats(tensor));
    assertEquals("F32 [2, 3]", tensor.toString());
  }

  @Test
  void wrapsAPointerFromItsPosition() {
    try (FloatPointer pointer = new FloatPointer(VALUES)) {
      Tensor whole = Tensor.wrap(pointer, 48, DType.F32, 12);
      assertArrayEquals(VALUES, TestMemory.floats(whole));
      Tensor part = Tensor.wrap(pointer.position(4), 32, DType.F32, 2, 4);
      assertArrayEquals(new float[] {4, 5, 6, 7, 8, 9, 10, 11}, TestMemory.floats(part));
      assertEquals(whole.address() + 16, part.address());
    }
  }

  @Test
  void wrapsARawAddress() {
    Tensor source = TestMemory.floats(VALUES, 12);
    Tensor tensor = Tensor.wrap(source.address() + 4, 44, DType.F32, 11);
    assertEquals(11, TestMemory.floats(tensor)[10]);
    assertEquals(0, tensor.address() - source.address() - 4);
    assertEquals(VALUES.length, source.elements());
  }

  @Test
  void viewsABuffer() {
    try (Device device = Device.cpu();
        DeviceBuffer buffer = device.allocate(256)) {
      Tensor tensor = Tensor.of(buffer, 64, DType.I32, 2, 8);
      assertEquals(buffer.address() + 64, tensor.address());
      assertEquals(192, tensor.size());
      buffer.asByteBuffer(64, 64).asIntBuffer().put(15, 42);
      assertEquals(42, TestMemory.ints(tensor)[15]);
      assertRefused("offset", () -> Tensor.of(buffer, 257, DType.U8, 0));
      assertRefused("offset", () -> Tensor.of(buffer, -1, DType.U8, 1));
      assertRefused("size", () -> Tensor.of(buffer, 0, DType.U8, 257));
      assertRefused("length", () -> buffer.asByteBuffer(0, 257));
      assertRefused("length", () -> buffer.asByteBuffer(-1, 2));
      assertEquals(0, buffer.asByteBuffer(256, 0).capacity());
    }
  }

  @Test
  void keepsADirectBufferReachable() throws Exception {
    ByteBuffer buffer = TestMemory.bytes(48);
    buffer.asFloatBuffer().put(VALUES);
    WeakReference<ByteBuffer> weak = new WeakReference<>(buffer);
    Tensor view = Tensor.wrap(buffer, DType.F32, 3, 4).rows(1, 2);
    ByteBuffer bytes = view.asByteBuffer();
    buffer = null;
    Tensor only = view;
    view = null;
    collect();
    assertArrayEquals(new float[] {4, 5, 6, 7, 8, 9, 10, 11}, TestMemory.floats(only));
    only = null;
    collect();
    assertEquals(11, bytes.asFloatBuffer().get(7), "a view of a view keeps it, too");
    bytes = null;
    for (int i = 0; weak.get() != null && i < 50; i++) {
      collect();
    }
    assertEquals(null, weak.get(), "nothing else keeps it");
  }

  private static void collect() throws InterruptedException {
    List<byte[]> garbage = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      garbage.add(new byte[1 << 20]);
    }
    System.gc();
    Thread.sleep(10);
    assertEquals(8, garbage.size());
  }

  @Test
  void sliceRowsPermuteReshapeBroadcast() {
    Tensor t = TestMemory.floats(VALUES, 3, 4);
    assertArrayEquals(new long[] {4, 1}, t.strides());
    Tensor rows = t.rows(1, 2);
    assertArrayEquals(new long[] {2, 4}, rows.shape());
    assertEquals(t.address() + 16, rows.address());
    assertEquals(t.size() - 16, rows.size());
    Tensor columns = t.slice(1, 2, 2);
    assertArrayEquals(new long[] {3, 2}, columns.shape());
    assertArrayEquals(new long[] {4, 1}, columns.strides());
    assertEquals(t.address() + 8, columns.address());
    assertFalse(columns.isContiguous());
    assertEquals("F32 [3, 2] with strides [4, 1]", columns.toString());
    Tensor swapped = t.permute(1, 0);
    assertArrayEquals(new long[] {4, 3}, swapped.shape());
    assertArrayEquals(new long[] {1, 4}, swapped.strides());
    assertArrayEquals(new long[] {2, 3, 2}, t.reshape(2, 3, 2).shape());
    Tensor wide = t.rows(1, 1).broadcast(2, 5, 4);
    assertArrayEquals(new long[] {2, 5, 4}, wide.shape());
    assertArrayEquals(new long[] {0, 0, 1}, wide.strides());
    Tensor empty = t.rows(3, 0);
    assertEquals(0, empty.elements());
    assertTrue(empty.isContiguous());
    assertEquals(0, empty.asByteBuffer().capacity());
    Tensor strided = t.withLayout(new long[] {2, 2}, new long[] {8, 3});
    assertEquals(3, strided.stride(1));
    assertEquals(2, strided.shape(0));
  }

  @Test
  void badViewsAreRefused() {
    Tensor t = TestMemory.floats(VALUES, 3, 4);
    assertRefused("first", () -> t.rows(2, 2));
    assertRefused("first", () -> t.rows(-1, 1));
    assertRefused("first", () -> t.rows(0, -1));
    assertRefused("first", () -> t.rows(Long.MAX_VALUE, 2));
    assertRefused("dimension", () -> t.slice(2, 0, 1));
    assertRefused("dimension", () -> t.shape(-1));
    assertRefused("dimension", () -> t.stride(2));
    assertRefused("shape", () -> t.reshape(5, 2));
    assertRefused("shape", () -> t.reshape(-3, -4));
    assertRefused("shape", () -> t.reshape(Long.MAX_VALUE, 12));
    assertRefused("shape", () -> t.slice(1, 0, 2).reshape(6));
    assertRefused("order", () -> t.permute(0, 0));
    assertRefused("order", () -> t.permute(0));
    assertRefused("order", () -> t.permute(0, 2));
    assertRefused("order", () -> t.permute((int[]) null));
    assertRefused("shape", () -> t.broadcast(4));
    assertRefused("shape", () -> t.broadcast(6, 4));
    assertRefused("strides", () -> t.withLayout(new long[] {2}, new long[] {1, 1}));
    assertRefused("strides", () -> t.withLayout(new long[] {2}, new long[] {-1}));
    assertRefused("strides", () -> t.withLayout(new long[] {2}, null));
    assertRefused("size", () -> t.withLayout(new long[] {2}, new long[] {12}));
    assertRefused(
        "strides", () -> t.withLayout(new long[] {3, 3}, new long[] {Long.MAX_VALUE / 2, 1}));
    assertRefused("tensor", () -> t.permute(1, 0).asByteBuffer());
  }

  @Test
  void badMemoryIsRefused() {
    ByteBuffer direct = TestMemory.bytes(48);
    assertRefused("buffer", () -> Tensor.wrap((ByteBuffer) null, DType.F32, 1));
    assertRefused("buffer", () -> Tensor.wrap(ByteBuffer.allocate(48), DType.F32, 1));
    assertRefused("buffer", () -> Tensor.of(null, DType.F32, 1));
    assertRefused("pointer", () -> Tensor.wrap((Pointer) null, 48, DType.F32, 1));
    assertRefused("pointer", () -> Tensor.wrap(new Pointer(), 48, DType.F32, 1));
    assertRefused("address", () -> Tensor.wrap(0, 48, DType.F32, 1));
    assertRefused("address", () -> Tensor.wrap(4098, 48, DType.F32, 1));
    assertRefused("address", () -> Tensor.wrap(4100, 48, DType.U64, 1));
    assertRefused("size", () -> Tensor.wrap(4096, -1, DType.F32, 1));
    assertRefused("size", () -> Tensor.wrap(4096, 47, DType.F32, 12));
    assertRefused("size", () -> Tensor.wrap(direct, DType.F32, 13));
    assertRefused("shape", () -> Tensor.wrap(direct, DType.F32, -1));
    assertRefused("shape", () -> Tensor.wrap(direct, DType.F32));
    assertRefused("shape", () -> Tensor.wrap(direct, DType.F32, 1, 1, 1, 1, 1));
    assertRefused("shape", () -> Tensor.wrap(direct, DType.F32, (long[]) null));
    assertRefused("dtype", () -> Tensor.wrap(direct, null, 12));
    assertRefused("strides", () -> Tensor.wrap(direct, DType.F32, 1L << 40, 1L << 40));
    direct.position(2);
    assertRefused("address", () -> Tensor.wrap(direct, DType.F32, 1));
  }

  @Test
  void readOnlyBuffersAreInputsOnly() {
    ByteBuffer direct = TestMemory.bytes(48);
    Tensor input = Tensor.wrap(direct.asReadOnlyBuffer(), DType.F32, 12);
    assertTrue(input.isReadOnly());
    assertTrue(input.rows(1, 2).isReadOnly());
    assertTrue(input.asByteBuffer().isReadOnly());
    Tensor output = TestMemory.floats(VALUES, 12);
    try (Device device = Device.cpu();
        Stream stream = device.newStream()) {
      assertRefused("target", () -> stream.copy(input, output));
      stream.copy(output, input);
    }
    assertEquals(0, TestMemory.floats(output)[11]);
  }

  @Test
  void copiesOnlyWhatFits() {
    Tensor t = TestMemory.floats(VALUES, 3, 4);
    try (Device device = Device.cpu();
        Stream stream = device.newStream()) {
      assertRefused("source", () -> stream.copy(t, TestMemory.floats(VALUES, 2, 4)));
      assertRefused("source", () -> stream.copy(t, null));
      assertRefused("target", () -> stream.copy(null, t));
      assertRefused("target", () -> stream.copy(t.slice(1, 0, 2), t.rows(0, 1)));
      assertRefused("target", () -> stream.copy(t.rows(0, 2), t.rows(1, 2)));
      stream.copy(t.rows(0, 1), t.rows(1, 1));
      stream.copy(t.rows(0, 0), t.rows(1, 0));
    }
    assertEquals(7, TestMemory.floats(t)[3]);
  }
}
