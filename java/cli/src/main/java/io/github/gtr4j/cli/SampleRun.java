package io.github.gtr4j.cli;

import io.github.gtr4j.model.MarModel;
import io.github.gtr4j.sampling.MemoryPlan;
import io.github.gtr4j.sampling.Sampler;
import io.github.gtr4j.sampling.SamplerOptions;
import io.github.gtr4j.sampling.SamplingJob;
import io.github.gtr4j.sampling.SamplingPhase;
import io.github.gtr4j.sampling.SamplingRequest;
import io.github.gtr4j.sampling.SamplingResult;
import io.github.gtr4j.sampling.SamplingStatistics;
import io.github.gtr4j.schedule.Guidance;
import io.github.gtr4j.schedule.Plan;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Images that were drawn, and how long that took.
 *
 * @param results the images in order
 * @param seconds from the first request to the last image
 * @param statistics where the time went
 * @param memory what was planned for before it began
 */
record SampleRun(
    List<SamplingResult> results,
    double seconds,
    SamplingStatistics statistics,
    MemoryPlan memory) {
  /** What all images of a run have in common. */
  record Settings(Plan plan, Guidance guidance, double temperature, SamplerOptions sampler) {}

  /**
   * Draws images; the progress is closed.
   *
   * @param planned is told how much memory that takes, before it begins
   */
  static SampleRun run(
      MarModel model,
      Images images,
      Settings settings,
      Progress progress,
      Consumer<MemoryPlan> planned)
      throws InterruptedException {
    List<SamplingRequest> requests = new ArrayList<>(images.count());
    for (int k = 0; k < images.count(); k++) {
      requests.add(request(model, images, k, settings, progress));
    }
    MemoryPlan memory = Sampler.memoryPlan(model, settings.sampler(), requests);
    planned.accept(memory);
    long start = System.nanoTime();
    try (Sampler sampler = new Sampler(model, settings.sampler());
        progress) {
      List<SamplingResult> results = new ArrayList<>(images.count());
      for (SamplingJob job : sampler.submit(requests)) {
        results.add(job.get());
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      return new SampleRun(results, seconds, sampler.statistics(), memory);
    }
  }

  private static SamplingRequest request(
      MarModel model, Images images, int k, Settings settings, Progress progress) {
    SamplingRequest.Builder request =
        SamplingRequest.builder(model)
            .plan(settings.plan())
            .guidance(settings.guidance())
            .temperature(settings.temperature())
            .seed(images.seed())
            .image(images.first() + k)
            .listener(
                event -> {
                  if (event.phase() == SamplingPhase.DECODED) {
                    progress.step();
                  }
                });
    if (images.label(k) != Images.NO_LABEL) {
      request.label(images.label(k));
    }
    return request.build();
  }

  double imagesPerSecond() {
    return results.size() / seconds;
  }
}
