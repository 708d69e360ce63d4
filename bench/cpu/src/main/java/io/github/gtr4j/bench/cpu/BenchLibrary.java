package io.github.gtr4j.bench.cpu;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.Structure;
import com.sun.jna.ptr.PointerByReference;

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

  /**
   * Guided images that go through GtR's default plan together, with random weights.
   *
   * @param model such as "MAR-B"
   * @param precision a gtr_precision
   * @param threads that work on a call
   * @param out the images
   * @return 0, or -1 and a message is left
   */
  int gtr_bench_images_create(
      String model, int precision, int images, int threads, PointerByReference out);

  /**
   * Samples them.
   *
   * @param out [3]: seconds in all, in encoder and decoder, in selection and head
   * @return 0, or -1 and a message is left
   */
  int gtr_bench_images_run(Pointer images, double[] out);

  /** Frees them; 0, or -1 and a message is left. */
  int gtr_bench_images_destroy(Pointer images);

  /** What went wrong in the thread's last call that returned -1. */
  String gtr_bench_last_error();
}
