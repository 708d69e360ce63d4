package io.github.gtr4j.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.CancelledException;
import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.DeviceOptions;
import io.github.gtr4j.device.TestMemory;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Every kernel of the CUDA backend as Java calls it. What they compute the native cases check. */
@Tag("emulator")
@Timeout(120)
class CudaKernelsTest {
  private static final int ROUNDS = 20;

  private static EveryKernel onCuda() {
    return new EveryKernel(DeviceOptions.cuda(0));
  }

  @Test
  void everyKernelGivesWhatItGivesOnTheCpu() {
    try (EveryKernel cpu = new EveryKernel();
        EveryKernel cuda = onCuda()) {
      for (int round = 0; round < 2; round++) {
        cpu.run();
        cuda.run();
        List<float[]> expected = cpu.results();
        List<float[]> actual = cuda.results();
        for (int i = 0; i < expected.size(); i++) {
          assertClose(expected.get(i), actual.get(i), "result " + i);
        }
        assertArrayEquals(cpu.places(), cuda.places());
      }
    }
  }

  /** Within rounding of the largest value. */
  private static void assertClose(float[] expected, float[] actual, String what) {
    float largest = 0;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    assertTrue(largest > 0, what + " is all zeros");
    assertArrayEquals(expected, actual, 1e-5f * largest, what);
  }

  @Test
  void kernelsAllocateNothing() {
    try (EveryKernel kernels = onCuda()) {
      for (int i = 0; i < ROUNDS; i++) {
        kernels.run();
      }
      long nativePeak = kernels.device.memoryStats().peakBytes();
      long least = HeapAllocations.least(20, ROUNDS, kernels::run);
      assertEquals(0, least, "bytes allocated on the Java heap by " + ROUNDS + " rounds");
      assertEquals(nativePeak, kernels.device.memoryStats().peakBytes(), "native memory");
    }
  }

  @Test
  void aValueThatIsNotAllowedIsToldWhenTheStreamIsWaitedFor() {
    try (EveryKernel kernels = onCuda()) {
      kernels.gatherOutOfRange();
      InvalidArgumentException e =
          assertThrows(InvalidArgumentException.class, kernels.stream::synchronize);
      assertEquals("gather", e.operation());
      assertEquals("index", e.argument());
      assertTrue(e.getMessage().contains("index[1] is 8"), e.getMessage());
      kernels.run(); // told once, and everything is usable
    }
  }

  @Test
  void weightsOfAnEnqueuedCallAreNeitherClosedNorSet() {
    try (EveryKernel kernels = onCuda()) {
      kernels.enqueue();
      IllegalStateException e = assertThrows(IllegalStateException.class, kernels.linear::close);
      assertTrue(e.getMessage().contains("in use by linear, which is enqueued"), e.getMessage());
      e = assertThrows(IllegalStateException.class, kernels.head::close);
      assertTrue(e.getMessage().contains("in use by head_step, which is"), e.getMessage());
      e =
          assertThrows(
              IllegalStateException.class,
              () -> kernels.linear.set(0, TestMemory.floats(new float[8], 1, 8), null));
      assertTrue(e.getMessage().startsWith("linear_set: "), e.getMessage());
      e =
          assertThrows(
              IllegalStateException.class,
              () -> kernels.head.set("cond_embed.bias", 0, TestMemory.floats(new float[64], 64)));
      assertTrue(e.getMessage().startsWith("head_set: "), e.getMessage());
      kernels.stream.synchronize();
      kernels.linear.set(0, TestMemory.floats(new float[8], 1, 8), null);
    }
  }

  @Test
  void weightsAreReadFromTheHostAlone() {
    try (EveryKernel kernels = onCuda();
        var memory = kernels.device.allocate(256)) {
      InvalidArgumentException e =
          assertThrows(
              InvalidArgumentException.class,
              () -> kernels.linear.set(0, memory.tensor(DType.F32, 8, 8), null));
      assertEquals("weight", e.argument());
      e =
          assertThrows(
              InvalidArgumentException.class,
              () -> kernels.head.set("cond_embed.bias", 0, memory.tensor(DType.F32, 64)));
      assertEquals("value", e.argument());
    }
  }

  @Test
  void aCancelOfAnotherThreadEndsAChain() throws Exception {
    try (EveryKernel kernels = onCuda()) {
      kernels.run();
      Thread other = new Thread(kernels.stream::cancel);
      kernels.enqueueLongChain();
      other.start();
      assertThrows(CancelledException.class, () -> waitForCancel(kernels));
      other.join();
      kernels.stream.reset();
      kernels.run();
    }
  }

  /** A chain may end before the cancel arrives; then there is one more. */
  private static void waitForCancel(EveryKernel kernels) {
    while (true) {
      kernels.stream.synchronize();
      kernels.enqueueLongChain();
    }
  }
}
