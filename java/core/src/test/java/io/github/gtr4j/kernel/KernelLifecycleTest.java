package io.github.gtr4j.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.CancelledException;
import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceBuffer;
import io.github.gtr4j.device.DeviceOptions;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.device.TestMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/** Weights that are closed, closed in use, cancelled, and shared by threads. */
@Timeout(120)
class KernelLifecycleTest {
  private static DeviceOptions cpu() {
    return DeviceOptions.cpu().withThreads(2);
  }

  private static void assertClosed(Executable use) {
    IllegalStateException e = assertThrows(IllegalStateException.class, use);
    assertTrue(e.getMessage().contains("is closed"), e.getMessage());
    assertNotNull(e.getCause());
  }

  @Test
  void closedWeightsAreRefused() {
    Tensor one = TestMemory.floats(new float[] {1}, 1, 1);
    Tensor y = TestMemory.floats(new float[] {1}, 1, 1);
    try (Device device = Device.open(cpu());
        Stream stream = device.newStream()) {
      Linear linear = Linear.create(device, 1, 1, Precision.F32);
      linear.close();
      linear.close();
      assertClosed(() -> linear.set(0, one, null));
      assertClosed(() -> linear.scratchBytes(1));
      assertClosed(() -> linear.run(stream, Activation.NONE, one, null, null, y, null));
      DiffusionHead head = DiffusionHead.create(device, new HeadShape(1, 1, 1, 0), Precision.F32);
      head.close();
      head.close();
      assertClosed(() -> head.set("cond_embed.bias", 0, one.reshape(1)));
      assertClosed(() -> head.forwardScratchBytes(1));
      stream.synchronize(); // a refused call leaves the stream free
    }
  }

  /** A head and a chain on it that takes long enough to be disturbed. */
  private static final class LongChain implements AutoCloseable {
    final int rows = 256;
    final Device device = Device.open(cpu());
    final DiffusionHead head =
        DiffusionHead.create(device, new HeadShape(16, 64, 64, 2), Precision.F32);
    final ChainArguments arguments;
    final DeviceBuffer memory = device.allocate(4L * rows * 16);
    final Tensor x = memory.tensor(DType.F32, rows, 16);
    final DeviceBuffer scratch;

    LongChain() {
      try (Vectors model = new Vectors("tiny")) {
        Vectors.setHead(head, model.file());
      }
      int[] index = new int[rows];
      float[] ones = new float[rows];
      for (int i = 0; i < rows; i++) {
        index[i] = i;
        ones[i] = 1;
      }
      arguments =
          new ChainArguments(1)
              .addGroup(rows, 1000, false)
              .z(TestMemory.floats(new float[rows * 64], rows, 64))
              .seed(TestMemory.longs(5).broadcast(rows))
              .image(TestMemory.ints(DType.U32, index))
              .cell(TestMemory.ints(DType.U32, index))
              .temperature(TestMemory.floats(ones, rows))
              .x0Clip(1);
      scratch = device.allocate(head.chainScratchBytes(arguments));
    }

    void run(Stream stream) {
      head.chain(stream, arguments, x, scratch.tensor(DType.U8, scratch.size()));
    }

    @Override
    public void close() {
      scratch.close();
      memory.close();
      head.close();
      device.close();
    }
  }

  @Test
  void closeDuringAChainIsRefusedAndCancelEndsIt() throws Exception {
    try (LongChain chain = new LongChain();
        Stream stream = chain.device.newStream()) {
      AtomicReference<Throwable> end = new AtomicReference<>();
      Thread runner =
          new Thread(
              () -> {
                boolean begun = false;
                while (!begun) {
                  try {
                    chain.run(stream);
                    begun = true;
                  } catch (IllegalStateException e) {
                    // The other thread is just looking whether the stream is in use.
                  } catch (Throwable e) {
                    end.set(e);
                    begun = true;
                  }
                }
              });
      runner.start();
      IllegalStateException refusal = null;
      while (runner.isAlive() && refusal == null) {
        // The buffer is in use from the moment the chain begins.
        if (isInUse(stream)) {
          refusal = assertThrows(IllegalStateException.class, chain.memory::close);
          assertTrue(refusal.getMessage().contains("in use by head_chain"), refusal.toString());
          refusal = assertThrows(IllegalStateException.class, chain.head::close);
          assertTrue(refusal.getMessage().contains("in use by head_chain"), refusal.toString());
          refusal = assertThrows(IllegalStateException.class, stream::close);
          assertTrue(refusal.getMessage().contains("in use by head_chain"), refusal.toString());
        }
      }
      assertNotNull(refusal, "the chain ended before it could be disturbed");
      stream.cancel();
      runner.join();
      assertTrue(end.get() instanceof CancelledException, String.valueOf(end.get()));
      assertEquals("head_chain", ((CancelledException) end.get()).operation());
      stream.reset();
      chain.run(stream); // everything is usable
      for (float value : TestMemory.floats(chain.x)) {
        assertTrue(Math.abs(value) <= 10, "finite: " + value);
      }
    }
  }

  private static boolean isInUse(Stream stream) {
    try {
      stream.synchronize();
      return false;
    } catch (IllegalStateException e) {
      return e.getMessage().contains("head_chain");
    }
  }

  @Test
  void manyThreadsShareWeightsAndGetTheSameBits() throws Exception {
    int inputs = 96;
    int outputs = 80;
    int rows = 37;
    Random random = new Random(3);
    float[] w = new float[outputs * inputs];
    float[] in = new float[rows * inputs];
    for (int i = 0; i < w.length; i++) {
      w[i] = (float) random.nextGaussian();
    }
    for (int i = 0; i < in.length; i++) {
      in[i] = (float) random.nextGaussian();
    }
    try (Device device = Device.open(cpu());
        Linear linear = Linear.create(device, outputs, inputs, Precision.F32)) {
      linear.set(0, TestMemory.floats(w, outputs, inputs), null);
      Callable<float[]> run =
          () -> {
            Tensor x = TestMemory.floats(in, rows, inputs);
            Tensor y = TestMemory.poisoned(rows, outputs);
            try (Stream stream = device.newStream();
                DeviceBuffer scratch = device.allocate(Math.max(1, linear.scratchBytes(rows)))) {
              for (int i = 0; i < 50; i++) {
                linear.run(
                    stream,
                    Activation.GELU,
                    x,
                    null,
                    null,
                    y,
                    scratch.tensor(DType.U8, scratch.size()));
              }
            }
            return TestMemory.floats(y);
          };
      float[] expected = run.call();
      ExecutorService pool = Executors.newFixedThreadPool(6);
      try {
        List<Future<float[]>> results = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
          results.add(pool.submit(run));
        }
        for (Future<float[]> result : results) {
          assertArrayEquals(expected, result.get());
        }
      } finally {
        pool.shutdown();
      }
      assertEquals(0, device.memoryStats().allocations());
    }
  }
}
