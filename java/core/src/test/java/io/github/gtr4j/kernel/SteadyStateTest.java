package io.github.gtr4j.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.gtr4j.profile.KernelCounters;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Calls of kernels allocate nothing, neither on the Java heap nor natively; with a listener or
 * without.
 */
class SteadyStateTest {
  private static final int WARM_UP = 300;
  private static final int ROUNDS = 1000;

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void kernelsAllocateNothing(boolean listen) {
    try (EveryKernel kernels = new EveryKernel()) {
      KernelCounters counters = new KernelCounters();
      if (listen) {
        KernelListener.attach(kernels.stream, counters);
      }
      for (int i = 0; i < WARM_UP; i++) {
        kernels.run();
      }
      long nativePeak = kernels.device.memoryStats().peakBytes();
      long least = HeapAllocations.least(20, ROUNDS, kernels::run);
      assertEquals(0, least, "bytes allocated on the Java heap by " + ROUNDS + " rounds");
      assertEquals(nativePeak, kernels.device.memoryStats().peakBytes(), "native memory");
      if (listen) {
        long rounds = counters.count(Operation.LINEAR).calls();
        assertEquals(Operation.values().length, counters.counts().size());
        assertEquals(rounds * 8, counters.count(Operation.NOISE).rows());
        assertEquals(rounds * 2 * 8 * 8 * 8, counters.count(Operation.LINEAR).flops());
        assertEquals(rounds * 2, counters.count(Operation.HEAD_CHAIN).rows());
        assertEquals(rounds, counters.count(Operation.HEAD_STEP).rows());
      }
    }
  }
}
