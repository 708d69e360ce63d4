package io.github.gtr4j.sampling;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** A request that was submitted. All methods may be called from any thread. */
public final class SamplingJob {
  private final Sampler sampler;
  private final SamplingRequest request;
  private final CompletableFuture<SamplingResult> future = new CompletableFuture<>();
  private volatile boolean cancelled;

  SamplingJob(Sampler sampler, SamplingRequest request) {
    this.sampler = sampler;
    this.request = request;
  }

  /** What was asked for. */
  public SamplingRequest request() {
    return request;
  }

  /**
   * Waits for the image. A thread that is interrupted while it waits cancels the request.
   *
   * @throws InterruptedException if the thread is interrupted; the request is cancelled then
   * @throws CancellationException if the request was cancelled, or its sampler closed
   * @throws SamplingException if the request failed
   * @throws IllegalStateException if called by a listener, for which the sampler itself would wait
   */
  public SamplingResult get() throws InterruptedException {
    sampler.checkMayWait();
    try {
      return future.get();
    } catch (InterruptedException e) {
      cancel();
      throw e;
    } catch (ExecutionException e) {
      // The worker made the exception; a fresh one carries the stack of the thread that waits.
      SamplingException failure = (SamplingException) e.getCause();
      SamplingException thrown =
          new SamplingException(failure.step(), failure.getMessage(), failure.getCause());
      thrown.addSuppressed(failure);
      throw thrown;
    }
  }

  /**
   * Ends the request soon, within a reverse step or block of the diffusion head or one other
   * operation; the others of its batch go on. A no-op if it is done already.
   */
  public void cancel() {
    sampler.cancel(this);
  }

  /** Whether the request has its image, has failed, or has been cancelled and left the batch. */
  public boolean isDone() {
    return future.isDone();
  }

  /** Whether the request was cancelled before it was done. */
  public boolean isCancelled() {
    return future.isCancelled();
  }

  /**
   * The result as a future, to combine with others. It fails with a {@link SamplingException} or a
   * {@link CancellationException}. Cancelling this copy does not cancel the request. Dependent
   * actions without an executor run on the sampler's worker thread, and must not wait for it.
   */
  public CompletableFuture<SamplingResult> future() {
    return future.copy();
  }

  boolean cancelRequested() {
    return cancelled;
  }

  void requestCancel() {
    cancelled = true;
  }

  void complete(SamplingResult result) {
    future.complete(result);
  }

  void completeCancelled() {
    future.cancel(false);
  }

  void fail(SamplingException failure) {
    future.completeExceptionally(failure);
  }
}
