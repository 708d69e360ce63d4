package io.github.gtr4j.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.CancelledException;
import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.NoDeviceException;
import io.github.gtr4j.OutOfNativeMemoryException;
import io.github.gtr4j.binding.Call;
import io.github.gtr4j.binding.Gtr;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Devices, streams and memory of the CUDA backend. On the emulator work is done when it is waited
 * for and not before, so whatever is read or freed too early shows.
 */
@Tag("emulator")
@Timeout(60)
class CudaDeviceTest {
  private Device device;

  @BeforeEach
  void open() {
    device = Device.cuda(0);
  }

  @AfterEach
  void close() {
    assertEquals(0, device.memoryStats().handles());
    assertEquals(0, device.memoryStats().allocations());
    device.close();
  }

  private DeviceBuffer pinned(float... values) {
    DeviceBuffer buffer = device.allocate(MemorySpace.HOST, 4L * values.length);
    floats(buffer).put(values);
    return buffer;
  }

  private static FloatBuffer floats(DeviceBuffer buffer) {
    return buffer.asByteBuffer().asFloatBuffer();
  }

  private static Tensor tensor(DeviceBuffer buffer) {
    return buffer.tensor(DType.F32, buffer.size() / 4);
  }

  @Test
  void itSaysWhatItIs() {
    assertEquals(Backend.CUDA, device.info().backend());
    assertEquals(0, device.info().index());
    assertEquals("device cuda:0", device.toString());
    assertTrue(device.info().memoryBytes() > 0);
    assertTrue(device.info().reason().startsWith("cuda"), device.info().reason());
    BackendReport report = Device.list().get(1);
    assertEquals(1, report.devices());
    assertTrue(report.detail().contains(device.info().name()), report.detail());
    try (Device auto = Device.auto()) {
      assertEquals(Backend.CUDA, auto.info().backend());
    }
  }

  @Test
  void aCardThatDoesNotExistIsRefused() {
    NoDeviceException e = assertThrows(NoDeviceException.class, () -> Device.cuda(1));
    assertEquals("device_open", e.operation());
    assertTrue(e.getMessage().contains("options.index is 1"), e.getMessage());
  }

  @Test
  void optionsOfTheCpuAreRefused() {
    InvalidArgumentException e =
        assertThrows(
            InvalidArgumentException.class,
            () -> Device.open(DeviceOptions.cuda(0).withThreads(2)));
    assertEquals("options.threads", e.argument());
    e =
        assertThrows(
            InvalidArgumentException.class,
            () -> Device.open(DeviceOptions.cuda(0).withTier(CpuTier.SCALAR)));
    assertEquals("options.tier", e.argument());
  }

  @Test
  void copiesReturnBeforeTheyAreDone() {
    try (DeviceBuffer source = pinned(1, 2, 3);
        DeviceBuffer middle = device.allocate(12);
        DeviceBuffer target = pinned(0, 0, 0);
        Stream stream = device.newStream()) {
      assertTrue(stream.isIdle());
      stream.copy(tensor(middle), tensor(source));
      stream.copy(tensor(target), tensor(middle));
      assertFalse(stream.isIdle());
      assertEquals(0, floats(target).get(0));
      stream.synchronize();
      assertTrue(stream.isIdle());
      float[] values = new float[3];
      floats(target).get(values);
      assertArrayEquals(new float[] {1, 2, 3}, values);
    }
  }

  @Test
  void whatAnEnqueuedCallUsesCannotBeClosed() {
    DeviceBuffer source = pinned(1);
    DeviceBuffer target = device.allocate(4);
    Stream stream = device.newStream();
    for (int i = 0; i < 3; i++) {
      stream.copy(tensor(target), tensor(source));
    }
    for (DeviceBuffer buffer : new DeviceBuffer[] {source, target}) {
      IllegalStateException e = assertThrows(IllegalStateException.class, buffer::close);
      assertEquals(
          "cannot close buffer of 4 bytes: in use by copy, which is enqueued; synchronize its stream"
              + " first",
          e.getMessage());
    }
    stream.synchronize();
    source.close();
    target.close();
    stream.close();
  }

  @Test
  void bothStreamsMustPassABuffer() {
    DeviceBuffer source = pinned(1);
    DeviceBuffer target = device.allocate(4);
    Stream one = device.newStream();
    Stream two = device.newStream();
    one.copy(tensor(target), tensor(source));
    two.copy(tensor(target), tensor(source));
    one.synchronize();
    assertThrows(IllegalStateException.class, source::close);
    two.synchronize();
    source.close();
    target.close();
    one.close();
    two.close();
  }

  @Test
  void closingAStreamWaitsForItsCalls() {
    DeviceBuffer source = pinned(7);
    DeviceBuffer middle = device.allocate(4);
    DeviceBuffer target = pinned(0);
    try (Stream stream = device.newStream()) {
      stream.copy(tensor(middle), tensor(source));
      stream.copy(tensor(target), tensor(middle));
    }
    assertEquals(7, floats(target).get(0));
    source.close();
    middle.close();
    target.close();
  }

  @Test
  void aRefusedCallHoldsNothing() {
    DeviceBuffer closed = device.allocate(4);
    DeviceBuffer open = device.allocate(4);
    Tensor bad = tensor(closed);
    Tensor good = tensor(open);
    closed.close();
    Stream stream = device.newStream();
    assertThrows(IllegalStateException.class, () -> stream.copy(good, bad));
    assertThrows(InvalidArgumentException.class, () -> stream.copy(good, good));
    assertTrue(stream.isIdle());
    open.close();
    stream.close();
  }

  @Test
  void wrappedMemoryStaysReachableUntilTheStreamHasPassedIt() {
    try (DeviceBuffer target = device.allocate(4);
        Stream stream = device.newStream()) {
      WeakReference<ByteBuffer> wrapped = copyFromGarbage(stream, target);
      System.gc();
      assertNotNull(wrapped.get());
      stream.synchronize();
      for (int i = 0; i < 100 && wrapped.get() != null; i++) {
        System.gc();
      }
      assertNull(wrapped.get());
    }
  }

  private static WeakReference<ByteBuffer> copyFromGarbage(Stream stream, DeviceBuffer target) {
    ByteBuffer memory = TestMemory.bytes(4);
    Tensor source = Tensor.wrap(memory, DType.F32, 1);
    stream.copy(tensor(target), source);
    // The tensor wraps a view, which keeps the memory that it is a view of.
    return new WeakReference<>(memory);
  }

  @Test
  void aStreamThatIsNeverSynchronizedWaitsWhenItIsFull() {
    try (DeviceBuffer target = device.allocate(4);
        DeviceBuffer result = pinned(0);
        Stream stream = device.newStream()) {
      WeakReference<ByteBuffer> first = copyFromGarbage(stream, target);
      for (int i = 0; i < 1100; i++) {
        stream.copy(tensor(target), TestMemory.floats(new float[] {i}, 1));
      }
      for (int i = 0; i < 100 && first.get() != null; i++) {
        System.gc();
      }
      assertNull(first.get(), "the stream has passed it");
      stream.copy(tensor(result), tensor(target));
      stream.synchronize();
      assertEquals(1099, floats(result).get(0));
    }
  }

  @Test
  void callsAllocateNothingOnTheHeap() {
    try (DeviceBuffer source = pinned(1);
        DeviceBuffer target = device.allocate(4);
        Stream stream = device.newStream()) {
      Tensor to = tensor(target);
      Tensor from = tensor(source);
      var threads =
          (com.sun.management.ThreadMXBean)
              java.lang.management.ManagementFactory.getThreadMXBean();
      long least = Long.MAX_VALUE;
      for (int attempt = 0; attempt < 20 && least > 0; attempt++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 1000; i++) {
          stream.copy(to, from);
        }
        stream.synchronize();
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      }
      assertEquals(0, least, "bytes");
    }
  }

  @Test
  void memoryOfTheCardIsNotShownToJava() {
    try (DeviceBuffer buffer = device.allocate(64);
        DeviceBuffer pinned = device.allocate(MemorySpace.HOST, 64)) {
      InvalidArgumentException e =
          assertThrows(InvalidArgumentException.class, buffer::asByteBuffer);
      assertEquals("as_byte_buffer", e.operation());
      assertTrue(
          e.getMessage().contains("memory of device cuda:0, which Java cannot read"),
          e.getMessage());
      Tensor tensor = buffer.tensor(DType.F32, 16);
      assertThrows(InvalidArgumentException.class, tensor::asByteBuffer);
      assertThrows(InvalidArgumentException.class, tensor.rows(3, 2)::asByteBuffer);
      assertEquals(64, pinned.asByteBuffer().capacity());
    }
  }

  @Test
  void memoryThatADeviceCannotReachIsRefused() {
    try (Device cpu = Device.cpu();
        DeviceBuffer onCpu = cpu.allocate(64);
        DeviceBuffer onCard = device.allocate(64);
        DeviceBuffer pinned = device.allocate(MemorySpace.HOST, 64);
        Stream cpuStream = cpu.newStream();
        Stream stream = device.newStream()) {
      Tensor direct = TestMemory.floats(new float[16], 16);
      assertRefused(stream, direct, "x lies in a direct buffer, which device cuda:0 cannot reach");
      assertRefused(
          stream, tensor(onCpu), "x lies in memory of device cpu:0, which device cuda:0 cannot");
      assertRefused(
          cpuStream,
          tensor(onCard),
          "x lies in memory of device cuda:0, which device cpu:0 cannot");
      for (Stream each : new Stream[] {stream, cpuStream}) {
        Call call = each.begin("linear");
        assertNotNull(call.tensor("x", tensor(pinned)));
        call.end();
      }
      InvalidArgumentException e =
          assertThrows(
              InvalidArgumentException.class, () -> cpuStream.copy(tensor(onCpu), tensor(onCard)));
      assertEquals("source", e.argument());
      stream.copy(tensor(onCard), tensor(onCpu)); // a copy can
      stream.synchronize();
    }
  }

  private static void assertRefused(Stream stream, Tensor tensor, String message) {
    Call call = stream.begin("linear");
    InvalidArgumentException e =
        assertThrows(InvalidArgumentException.class, () -> call.tensor("x", tensor));
    call.end();
    assertEquals("x", e.argument());
    assertTrue(e.getMessage().startsWith("linear: " + message), e.getMessage());
  }

  @Test
  void cancelHoldsUntilReset() {
    try (DeviceBuffer source = pinned(1);
        DeviceBuffer target = device.allocate(4);
        Stream stream = device.newStream()) {
      stream.copy(tensor(target), tensor(source));
      stream.cancel();
      assertThrows(CancelledException.class, () -> stream.copy(tensor(target), tensor(source)));
      assertThrows(CancelledException.class, stream::synchronize);
      stream.reset();
      stream.copy(tensor(target), tensor(source));
      stream.synchronize();
      stream.copy(tensor(target), tensor(source));
      stream.cancel(); // and closing it is no error
    }
  }

  @Test
  void aStreamOfAnotherLibraryIsWrapped() {
    Pointer legacy =
        new Pointer() {
          {
            address = 1; // cudaStreamLegacy
          }
        };
    DeviceBuffer source = pinned(3);
    DeviceBuffer middle = device.allocate(4);
    DeviceBuffer target = pinned(0);
    for (int round = 0; round < 2; round++) {
      floats(target).put(0, 0);
      try (Stream stream = round == 0 ? device.wrapStream(1) : device.wrapStream(legacy)) {
        assertSame(device, stream.device());
        stream.copy(tensor(middle), tensor(source));
        stream.copy(tensor(target), tensor(middle));
      }
      assertEquals(3, floats(target).get(0));
    }
    source.close();
    middle.close();
    target.close();
    InvalidArgumentException e =
        assertThrows(InvalidArgumentException.class, () -> device.wrapStream(0));
    assertEquals("external", e.argument());
    assertThrows(InvalidArgumentException.class, () -> device.wrapStream((Pointer) null));
  }

  @Test
  void pointersOfAnotherLibraryAreWrappedFromTheirPositionOn() {
    try (DeviceBuffer memory = device.allocate(64);
        DeviceBuffer pinned = pinned(1, 2, 3, 4);
        Stream stream = device.newStream()) {
      FloatPointer pointer = new FloatPointer(address(memory.address()));
      Tensor whole = Tensor.wrap(pointer, 64, DType.F32, 4);
      assertEquals(memory.address(), whole.address());
      stream.copy(whole, tensor(pinned));
      Tensor second = Tensor.wrap(pointer.getPointer(2), 8, DType.F32, 1);
      Tensor third = Tensor.wrap(pointer.position(2), 8, DType.F32, 1);
      assertEquals(memory.address() + 8, second.address());
      assertEquals(memory.address() + 8, third.address());
      stream.copy(Tensor.of(pinned, 0, DType.F32, 1), third);
      stream.synchronize();
      assertEquals(3, floats(pinned).get(0));
    }
  }

  private static Pointer address(long value) {
    return new Pointer() {
      {
        address = value;
      }
    };
  }

  @Test
  void outOfMemorySaysWhatWasAskedForAndWhatIsFree() {
    OutOfNativeMemoryException e =
        assertThrows(OutOfNativeMemoryException.class, () -> device.allocate(1L << 50));
    assertEquals("allocate", e.operation());
    assertTrue(e.getMessage().contains(Long.toString(1L << 50)), e.getMessage());
    assertTrue(e.getMessage().contains("are free"), e.getMessage());
    MemoryStats before = device.memoryStats();
    for (int nth = 1; nth <= 4; nth++) {
      Gtr.gtr_test_fail_allocation(nth);
      try {
        device.newStream().close();
      } catch (OutOfNativeMemoryException expected) {
        assertEquals("stream_create", expected.operation());
      }
      Gtr.gtr_test_fail_allocation(0);
      assertEquals(before.liveBytes(), device.memoryStats().liveBytes());
    }
  }
}
