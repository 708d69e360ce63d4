package io.github.gtr4j.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.gtr4j.ForkedJvm;
import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceOptions;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The JVM's own checks of JNI calls find nothing to say about any kernel, nor about errors. */
class JniCheckTest {
  /** Calls every kernel a few times, and lets some fail. */
  public static final class Main {
    public static void main(String[] arguments) {
      DeviceOptions options =
          arguments.length == 0 ? DeviceOptions.cpu().withThreads(1) : DeviceOptions.cuda(0);
      try (EveryKernel kernels = new EveryKernel(options)) {
        for (int i = 0; i < 20; i++) {
          kernels.run();
        }
        Device.list();
        kernels.device.memoryStats();
        DiffusionTable.of(20);
        Noise.philox(1, 2, 3, 4, 5);
        try {
          TopFraction.count(2, 3);
          System.out.print("not refused ");
        } catch (InvalidArgumentException e) {
          System.out.print(e.argument() + " ");
        }
      }
      System.out.print("done");
    }
  }

  @Test
  void checksFindNothing() throws Exception {
    check();
  }

  @Test
  @Tag("emulator")
  void checksFindNothingOnCuda() throws Exception {
    check("cuda");
  }

  private static void check(String... arguments) throws Exception {
    ForkedJvm.Result result = ForkedJvm.run(Main.class, List.of("-Xcheck:jni"), arguments);
    assertEquals("fraction done", result.out());
    assertEquals("", result.err());
    assertEquals(0, result.exitCode());
  }
}
