package io.github.gtr4j.device;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.CancelledException;
import io.github.gtr4j.OutOfNativeMemoryException;
import io.github.gtr4j.binding.Call;
import io.github.gtr4j.binding.Gtr;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/** Use after close, close in use, closing twice, children before parents, streams and threads. */
@Timeout(60)
class LifecycleTest {
  private Device device;

  @BeforeEach
  void open() {
    device = Device.open(DeviceOptions.cpu().withThreads(2));
  }

  @AfterEach
  void close() {
    assertEquals(0, device.memoryStats().handles());
    assertEquals(0, device.memoryStats().allocations());
    device.close();
  }

  private static void assertClosed(String operation, Executable use) {
    IllegalStateException e = assertThrows(IllegalStateException.class, use);
    assertTrue(e.getMessage().startsWith(operation + ": "), e.getMessage());
    assertTrue(e.getMessage().contains("is closed"), e.getMessage());
    assertNotNull(e.getCause(), "where it was closed");
    assertTrue(
        Arrays.stream(e.getCause().getStackTrace())
            .anyMatch(f -> f.getClassName().equals(LifecycleTest.class.getName())),
        "the place where it was closed is in the cause's stack");
  }

  @Test
  void useAfterCloseIsRefusedWithThePlaceOfTheClose() {
    Stream stream = device.newStream();
    DeviceBuffer buffer = device.allocate(64);
    Tensor tensor = buffer.tensor(DType.F32, 16);
    Tensor other = TestMemory.floats(new float[16], 16);
    buffer.close();
    assertClosed("address", buffer::address);
    assertClosed("as_byte_buffer", buffer::asByteBuffer);
    assertClosed("as_byte_buffer", tensor::asByteBuffer);
    assertClosed("address", () -> buffer.tensor(DType.F32, 16));
    assertClosed("copy", () -> stream.copy(tensor, other));
    assertClosed("copy", () -> stream.copy(other, tensor));
    assertDoesNotThrow(() -> stream.copy(other, TestMemory.floats(new float[16], 16)));
    stream.close();
    assertClosed("stream_synchronize", stream::synchronize);
    assertClosed("stream_reset", stream::reset);
    assertClosed("cancel", stream::cancel);
    assertClosed("copy", () -> stream.copy(other, TestMemory.floats(new float[16], 16)));
    assertTrue(stream.isClosed());
  }

  @Test
  void useOfAClosedDeviceIsRefused() {
    Device closed = Device.cpu();
    assertFalse(closed.isClosed());
    closed.close();
    assertClosed("opening Stream", closed::newStream);
    assertClosed("opening DeviceBuffer", () -> closed.allocate(64));
    assertClosed("memory_stats", closed::memoryStats);
    assertTrue(closed.toString().contains("(closed)"), closed.toString());
    assertEquals(Backend.CPU, closed.info().backend());
  }

  @Test
  void closingTwiceDoesNothing() {
    Stream stream = device.newStream();
    DeviceBuffer buffer = device.allocate(64);
    for (int i = 0; i < 3; i++) {
      stream.close();
      buffer.close();
    }
    assertEquals(0, device.memoryStats().allocations());
  }

  @Test
  void aDeviceWithOpenChildrenIsNotClosed() {
    Stream stream = device.newStream();
    DeviceBuffer buffer = device.allocate(64);
    IllegalStateException e = assertThrows(IllegalStateException.class, device::close);
    assertTrue(e.getMessage().contains("still open of it: 2"), e.getMessage());
    assertFalse(device.isClosed());
    buffer.close();
    e = assertThrows(IllegalStateException.class, device::close);
    assertTrue(e.getMessage().contains("still open of it: 1"), e.getMessage());
    stream.close();
  }

  @Test
  void closeInUseIsRefusedAndNamesTheOperation() {
    Stream stream = device.newStream();
    DeviceBuffer buffer = device.allocate(64);
    Tensor tensor = buffer.tensor(DType.F32, 16);
    Call call = stream.begin("attention");
    call.tensor("q", tensor);
    IllegalStateException e = assertThrows(IllegalStateException.class, buffer::close);
    assertTrue(e.getMessage().contains("in use by attention"), e.getMessage());
    e = assertThrows(IllegalStateException.class, stream::close);
    assertTrue(e.getMessage().contains("in use by attention"), e.getMessage());
    call.end();
    buffer.close();
    stream.close();
  }

  @Test
  void aStreamRefusesASecondThreadAndNamesTheOperationOfTheFirst() throws Exception {
    Stream stream = device.newStream();
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch finish = new CountDownLatch(1);
    Thread other =
        new Thread(
            () -> {
              Call call = stream.begin("head_chain");
              begun.countDown();
              try {
                finish.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              call.end();
            });
    other.start();
    begun.await();
    IllegalStateException e = assertThrows(IllegalStateException.class, stream::synchronize);
    assertTrue(e.getMessage().contains("in use by head_chain"), e.getMessage());
    stream.cancel(); // is allowed meanwhile
    finish.countDown();
    other.join();
    stream.reset();
    stream.synchronize();
    stream.close();
  }

  @Test
  void aFailedCallUnpinsEverything() {
    Stream stream = device.newStream();
    DeviceBuffer open = device.allocate(64);
    DeviceBuffer closed = device.allocate(64);
    Tensor good = open.tensor(DType.F32, 16);
    Tensor bad = closed.tensor(DType.F32, 16);
    closed.close();
    assertClosed("copy", () -> stream.copy(good, bad));
    open.close();
    stream.close();
  }

  @Test
  void cancelHoldsUntilReset() {
    Tensor a = TestMemory.floats(new float[] {1, 2}, 2);
    Tensor b = TestMemory.floats(new float[2], 2);
    try (Stream stream = device.newStream()) {
      stream.cancel();
      CancelledException e = assertThrows(CancelledException.class, () -> stream.copy(b, a));
      assertEquals("copy", e.operation());
      assertThrows(CancelledException.class, () -> stream.copy(b, a));
      stream.reset();
      stream.copy(b, a);
    }
    assertEquals(2, TestMemory.floats(b)[1]);
  }

  @Test
  void cancelAndCloseMayRace() throws Exception {
    for (int i = 0; i < 200; i++) {
      Stream stream = device.newStream();
      AtomicReference<Throwable> surprise = new AtomicReference<>();
      Thread other =
          new Thread(
              () -> {
                try {
                  stream.cancel();
                } catch (IllegalStateException e) {
                  if (!e.getMessage().contains("closed")) {
                    surprise.set(e);
                  }
                } catch (Throwable e) {
                  surprise.set(e);
                }
              });
      other.start();
      stream.close();
      other.join();
      assertEquals(null, surprise.get());
    }
  }

  @Test
  void failedAllocationsAreReportedAndLeaveNothingBehind() {
    MemoryStats before = device.memoryStats();
    for (int nth = 1; nth <= 2; nth++) {
      Gtr.gtr_test_fail_allocation(nth);
      try {
        device.allocate(64).close();
      } catch (OutOfNativeMemoryException e) {
        assertEquals("allocate", e.operation());
      }
      Gtr.gtr_test_fail_allocation(1);
      assertThrows(OutOfNativeMemoryException.class, device::newStream);
      Gtr.gtr_test_fail_allocation(0);
    }
    assertEquals(before.liveBytes(), device.memoryStats().liveBytes());
    OutOfNativeMemoryException e =
        assertThrows(OutOfNativeMemoryException.class, () -> device.allocate(1L << 60));
    assertTrue(e.getMessage().contains(Long.toString(1L << 60)), e.getMessage());
  }
}
