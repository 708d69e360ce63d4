package io.github.gtr4j.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.gtr4j.ForkedJvm;
import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceBuffer;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Native memory many times the size of the Java heap, which JavaCPP's own accounting would refuse.
 */
class SmallHeapTest {
  /** Touches 800 MiB of native memory, then makes and drops many views and calls kernels. */
  public static final class Main {
    public static void main(String[] arguments) {
      long bytes = 800L << 20;
      try (Device device = Device.cpu();
          Stream stream = device.newStream();
          DeviceBuffer large = device.allocate(bytes);
          Linear linear = Linear.create(device, 64, 64, Precision.F32)) {
        for (long at = 0; at < bytes; at += 1 << 30) {
          var view = large.asByteBuffer(at, Math.min(1 << 30, bytes - at));
          for (int i = 0; i < view.capacity(); i += 4096) {
            view.put(i, (byte) 0);
          }
        }
        Tensor all = large.tensor(DType.F32, bytes / 256, 64);
        Tensor scratch = large.tensor(DType.U8, bytes).rows(bytes - (1 << 20), 1 << 20);
        for (int i = 0; i < 100_000; i++) {
          Tensor x = all.rows(i, 2);
          Tensor y = all.rows(i + 1000L, 2);
          if (i % 100 == 0) {
            linear.run(stream, Activation.NONE, x, null, null, y, scratch);
            device.memoryStats();
            Device.list();
          }
        }
      }
      System.out.print("done");
    }
  }

  @Test
  void nativeMemoryIsNotLimitedByTheHeap() throws Exception {
    ForkedJvm.Result result = ForkedJvm.run(Main.class, List.of("-Xmx128m"));
    assertEquals("done", result.out(), result.toString());
    assertEquals("", result.err());
    assertEquals(0, result.exitCode());
  }
}
