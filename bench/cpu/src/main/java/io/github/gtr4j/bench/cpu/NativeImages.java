package io.github.gtr4j.bench.cpu;

import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceOptions;

/** The sampler's calls from C++, without its copies of indices and waits. */
final class NativeImages implements ImageSampler {
  private final BenchLibrary library;
  private final Pointer images;

  NativeImages(ImageCase c, int threads) {
    // Which loads libgtr, the one that Java uses.
    Device.open(DeviceOptions.cpu().withThreads(threads)).close();
    library = BenchLibrary.load();
    PointerByReference out = new PointerByReference();
    check(
        library.gtr_bench_images_create(
            c.model().label(), c.precision().code(), c.images(), threads, out));
    images = out.getValue();
  }

  private void check(int result) {
    if (result != 0) {
      throw new IllegalStateException(library.gtr_bench_last_error());
    }
  }

  @Override
  public String name() {
    return "libgtr";
  }

  @Override
  public long plannedBytes() {
    return 0;
  }

  @Override
  public ImageTime run() {
    double[] seconds = new double[3];
    check(library.gtr_bench_images_run(images, seconds));
    return new ImageTime(seconds[0], seconds[1], seconds[2], 0);
  }

  @Override
  public void close() {
    check(library.gtr_bench_images_destroy(images));
  }
}
