package io.github.gtr4j.bench.cpu;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Structure;

/** The native benchmarks that libgtr_bench offers, see gtr_bench.h. */
interface BenchLibrary extends Library {
  /** Loads it from the class path, where the build puts it. */
  static BenchLibrary load() {
    return Native.load("gtr_bench", BenchLibrary.class);
  }

  /** Its gtr_bench_peak; every field is per second. */
  @Structure.FieldOrder({
    "f32Flops",
    "bf16Flops",
    "readBytes",
    "cachedBf16Flops",
    "matrixBytes",
    "headBytes",
    "attention64Flops",
    "attention80Flops"
  })
  final class Peak extends Structure {
    public double f32Flops;
    public double bf16Flops;
    public double readBytes;
    public double cachedBf16Flops;
    public double matrixBytes;
    public double headBytes;
    public double attention64Flops;
    public double attention80Flops;
  }

  /**
   * What so many threads reach together with a tier's instructions.
   *
   * @param tier a gtr_cpu_tier
   * @return 0, or -1 and a message is left
   */
  int gtr_bench_measure_peak(int tier, int threads, Peak out);

  /** What went wrong in the thread's last call that returned -1. */
  String gtr_bench_last_error();
}
