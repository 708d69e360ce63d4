package io.github.gtr4j.bench.cpu;

import com.sun.jna.Library;
import com.sun.jna.Native;

/** The native benchmarks that libgtr_bench offers, see gtr_bench.h. */
interface BenchLibrary extends Library {
  /** Loads it from the class path, where the build puts it. */
  static BenchLibrary load() {
    return Native.load("gtr_bench", BenchLibrary.class);
  }

  /**
   * What so many threads reach together with a tier's instructions.
   *
   * @param tier a gtr_cpu_tier
   * @param out [3]: float FLOP/s, bfloat16 FLOP/s, bytes per second read from memory
   * @return 0, or -1 and a message is left
   */
  int gtr_bench_measure_peak(int tier, int threads, double[] out);

  /** What went wrong in the thread's last call that returned -1. */
  String gtr_bench_last_error();
}
