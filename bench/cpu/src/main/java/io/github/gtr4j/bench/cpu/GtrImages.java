package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceOptions;
import io.github.gtr4j.kernel.Precision;
import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.model.MarModel;
import io.github.gtr4j.sampling.Sampler;
import io.github.gtr4j.sampling.SamplerOptions;
import io.github.gtr4j.sampling.SamplingJob;
import io.github.gtr4j.sampling.SamplingRequest;
import io.github.gtr4j.sampling.SamplingStatistics;
import io.github.gtr4j.schedule.Guidance;
import java.util.List;
import java.util.stream.IntStream;

/** Images by the Java sampler. */
final class GtrImages implements AutoCloseable {
  private static final int NARROW = 8;
  private static final int WARM_UPS = 40;

  private final Device device;
  private final MarModel model;
  private final Sampler sampler;
  private final List<SamplingRequest> requests;
  private final long plannedBytes;

  GtrImages(MarConfiguration configuration, Precision precision, int images, int threads) {
    device = Device.open(DeviceOptions.cpu().withThreads(threads));
    model = MarModel.random(device, configuration, precision, 1);
    SamplerOptions options = SamplerOptions.defaults().withMaxBatch(images);
    requests =
        IntStream.range(0, images)
            .mapToObj(
                i ->
                    SamplingRequest.builder(model)
                        .label(i)
                        .guidance(Guidance.linear(HeadWorkload.GUIDANCE))
                        .seed(1)
                        .image(i)
                        .build())
            .toList();
    plannedBytes = Sampler.memoryPlan(model, options, requests).total();
    sampler = new Sampler(model, options);
  }

  /**
   * Draws images of a model whose products cost nothing, but whose plan and blocks are those of
   * MAR-B, until the JVM has compiled what draws them.
   */
  static void warmUpJava(Precision precision, int threads) {
    MarConfiguration narrow =
        MarConfiguration.builder()
            .grid(16, 16)
            .channels(16)
            .buffer(64)
            .width(NARROW)
            .blocks(12, 12)
            .heads(1)
            .head(6, NARROW)
            .classes(1000)
            .build();
    try (GtrImages images = new GtrImages(narrow, precision, 1, threads)) {
      for (int i = 0; i < WARM_UPS; i++) {
        images.sample();
      }
    }
  }

  /** Bytes of weights, activations and scratch as planned before. */
  long plannedBytes() {
    return plannedBytes;
  }

  /** Samples them once; the time in libgtr and the resident peak are left at 0. */
  ImageTime sample() {
    SamplingStatistics before = sampler.statistics();
    long start = System.nanoTime();
    List<SamplingJob> jobs = sampler.submit(requests);
    for (SamplingJob job : jobs) {
      job.future().join();
    }
    long nanos = System.nanoTime() - start;
    SamplingStatistics after = sampler.statistics();
    long head =
        after.headNanos() - before.headNanos() + after.selectionNanos() - before.selectionNanos();
    return new ImageTime(
        nanos / 1e9, (after.backboneNanos() - before.backboneNanos()) / 1e9, head / 1e9, 0, 0);
  }

  @Override
  public void close() {
    sampler.close();
    model.close();
    device.close();
  }
}
