package io.github.gtr4j.sampling;

/**
 * Hears of a request's progress, on the sampler's worker thread: all requests of the batch wait
 * until it returns.
 *
 * <p>It may cancel any request and submit new ones, but not wait for one. If a listener throws, its
 * own request ends with a {@link SamplingException} that has the throwable as its cause; the other
 * requests of the batch go on. When another request of the batch is cancelled in the middle of a
 * decode step, the step begins anew, so its phases are reported again.
 */
@FunctionalInterface
public interface SamplingListener {
  /** Called at the beginning of each phase of each decode step, and at the end of the step. */
  void onProgress(SamplingProgress progress);
}
