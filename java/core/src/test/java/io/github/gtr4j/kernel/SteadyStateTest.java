package io.github.gtr4j.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceBuffer;
import io.github.gtr4j.device.DeviceOptions;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.device.TestMemory;
import io.github.gtr4j.profile.KernelCounters;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Calls of kernels allocate nothing, neither on the Java heap nor natively; with a listener or
 * without.
 */
class SteadyStateTest {
  private static final int WARM_UP = 300;
  private static final int CALLS = 1000;

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void kernelsAllocateNothing(boolean listen) {
    try (Device device = Device.open(DeviceOptions.cpu().withThreads(1));
        Stream stream = device.newStream();
        Linear linear = Linear.create(device, 8, 8, Precision.F32);
        DiffusionHead head =
            DiffusionHead.create(device, new HeadShape(16, 64, 64, 2), Precision.F32);
        DeviceBuffer scratchMemory = device.allocate(1 << 22);
        DeviceBuffer xMemory = device.allocate(4 * 8 * 8)) {
      try (Vectors model = new Vectors("tiny")) {
        Vectors.setHead(head, model.file());
      }
      KernelCounters counters = new KernelCounters();
      if (listen) {
        KernelListener.attach(stream, counters);
      }
      Tensor scratch = scratchMemory.tensor(DType.U8, scratchMemory.size());
      Tensor x = xMemory.tensor(DType.F32, 8, 8);
      Tensor y = TestMemory.floats(new float[64], 8, 8);
      Tensor index = TestMemory.ints(DType.I32, 7, 6, 5, 4, 3, 2, 1, 0);
      Tensor places = TestMemory.ints(DType.I32, 0, 0, 0, 0, 0, 0, 0, 0);
      Tensor cells = TestMemory.ints(DType.U32, 7, 6, 5, 4, 3, 2, 1, 0);
      Tensor seed = TestMemory.longs(1).broadcast(8);
      Tensor score = TestMemory.floats(new float[8], 8);
      Tensor q = TestMemory.floats(new float[64], 1, 8, 1, 8);
      Tensor out = TestMemory.floats(new float[64], 1, 8, 1, 8);
      Tensor z = TestMemory.floats(new float[64], 1, 64);
      Tensor token = TestMemory.floats(new float[16], 1, 16);
      Segments segments = new Segments(1);
      ChainArguments chain =
          new ChainArguments(1)
              .z(z)
              .seed(TestMemory.longs(1))
              .image(TestMemory.ints(DType.U32, 1))
              .cell(TestMemory.ints(DType.U32, 1))
              .temperature(TestMemory.floats(new float[] {1}, 1))
              .modulationBytes(1 << 16);
      Runnable everything =
          () -> {
            Noise.fill(stream, seed, cells, cells, cells, x);
            linear.run(stream, Activation.GELU, x, null, null, y, scratch);
            LayerNorm.run(stream, y, null, null, null, null, 1e-6, y);
            Rows.embed(stream, y, null, index, null, null, x);
            Rows.gather(stream, x, index, y);
            Rows.scatter(stream, x, index, y);
            Attention.run(stream, Precision.F32, 1, q, q, q, null, null, null, out, scratch);
            FrequencyEnergy.run(stream, y, score, scratch);
            segments.clear();
            segments.add(0, 8, 2, 0, 2);
            TopFraction.run(stream, score, cells, segments, places, scratch);
            chain.clearGroups().addGroup(1, 2, false);
            head.chain(stream, chain, token, scratch);
            stream.synchronize();
          };
      for (int i = 0; i < WARM_UP; i++) {
        everything.run();
      }
      long native0 = device.memoryStats().peakBytes();
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long least = Long.MAX_VALUE;
      // The smallest of a few rounds: what is left is what the calls themselves allocate.
      for (int round = 0; round < 5 && least > 0; round++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < CALLS; i++) {
          everything.run();
        }
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      }
      assertEquals(0, least, "bytes allocated on the Java heap by " + CALLS + " rounds");
      assertEquals(native0, device.memoryStats().peakBytes(), "native memory");
      if (listen) {
        long rounds = counters.count(Operation.LINEAR).calls();
        assertEquals(10, counters.counts().size());
        assertEquals(rounds * 8, counters.count(Operation.NOISE).rows());
        assertEquals(rounds * 2 * 8 * 8 * 8, counters.count(Operation.LINEAR).flops());
        assertEquals(rounds * 2, counters.count(Operation.HEAD_CHAIN).rows());
      }
    }
  }
}
