package io.github.gtr4j.sampling;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.model.MarModel;
import io.github.gtr4j.schedule.FlopFormula;
import io.github.gtr4j.schedule.TokenGrid;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Draws images with a model. Requests may be submitted at any time and from any thread; those that
 * are under way share one batch, whatever decode step each is at, and each gives the same image, to
 * the last bit, as it would alone.
 *
 * <pre>{@code
 * try (Device device = Device.cpu();
 *     MarModel model = MarModel.load(device, path, Precision.F32);
 *     Sampler sampler = new Sampler(model)) {
 *   SamplingRequest request = SamplingRequest.builder(model).label(3).seed(7).build();
 *   float[] latents = sampler.submit(request).get().latents();
 * }
 * }</pre>
 *
 * <p>A sampler has one worker thread and one stream. Several samplers can share a model; the model
 * cannot be closed before they are. Closing a sampler cancels what is under way and frees
 * everything native.
 */
public final class Sampler implements AutoCloseable {
  private static final AtomicLong NUMBER = new AtomicLong();

  private final SamplerOptions options;
  private final MarConfiguration configuration;
  private final TokenGrid grid;
  private final FlopFormula flopFormula;
  private final DecodeStepRunner runner;
  private final Thread worker;

  private final Object lock = new Object();
  // Guarded by lock.
  private final Deque<SamplingJob> queue = new ArrayDeque<>();
  private final List<ActiveImage> active = new ArrayList<>();
  private boolean stepRuns;
  private boolean closed;
  private Throwable closedAt;

  /** A sampler with the default options. */
  public Sampler(MarModel model) {
    this(model, SamplerOptions.defaults());
  }

  /** A sampler that holds the model until it is closed. */
  public Sampler(MarModel model, SamplerOptions options) {
    this.options = Objects.requireNonNull(options, "options");
    configuration = model.configuration();
    grid = new TokenGrid(configuration.gridHeight(), configuration.gridWidth());
    flopFormula = flopFormula(configuration);
    runner = new DecodeStepRunner(model, options);
    worker = new Thread(this::work, "gtr4j-sampler-" + NUMBER.incrementAndGet());
    worker.setDaemon(true);
    try {
      worker.start();
    } catch (Throwable e) {
      runner.close();
      throw e;
    }
  }

  /** The formula that counts the floating-point operations of plans on a model. */
  public static FlopFormula flopFormula(MarConfiguration c) {
    return new FlopFormula(
        c.encoderBlocks(),
        c.decoderBlocks(),
        c.width(),
        c.buffer(),
        c.channels(),
        c.headBlocks(),
        c.headWidth());
  }

  /** Enqueues a request. */
  public SamplingJob submit(SamplingRequest request) {
    return submit(List.of(request)).get(0);
  }

  /** Enqueues requests at once, so that they begin in one batch as far as it has room. */
  public List<SamplingJob> submit(List<SamplingRequest> requests) {
    List<SamplingJob> jobs = new ArrayList<>(requests.size());
    for (SamplingRequest request : requests) {
      check(request);
      jobs.add(new SamplingJob(this, request));
    }
    synchronized (lock) {
      if (closed) {
        throw new IllegalStateException("submit: the sampler is closed", closedAt);
      }
      queue.addAll(jobs);
      lock.notifyAll();
    }
    return List.copyOf(jobs);
  }

  // A request may have been built for another model of the same interface.
  private void check(SamplingRequest request) {
    if (!request.plan().grid().equals(grid)) {
      throw new InvalidArgumentException(
          "request", "its grid is " + request.plan().grid() + "; the model has " + grid);
    }
    if (request.labelOrMinusOne() >= configuration.classes()) {
      throw new InvalidArgumentException(
          "request",
          "its label is "
              + request.labelOrMinusOne()
              + "; the model has the classes 0 to "
              + (configuration.classes() - 1));
    }
    float[] known = request.knownTokensOrNull();
    if (known != null && known.length != configuration.tokens() * configuration.channels()) {
      throw new InvalidArgumentException(
          "request",
          "its known tokens are "
              + known.length
              + " values; the model has "
              + configuration.tokens() * configuration.channels());
    }
  }

  /** What the sampler has done so far. */
  public SamplingStatistics statistics() {
    return runner.statistics();
  }

  /**
   * Native memory that sampling takes.
   *
   * @param requests all that are submitted; one or more
   */
  public static MemoryPlan memoryPlan(
      MarModel model, SamplerOptions options, List<SamplingRequest> requests) {
    if (requests.isEmpty()) {
      throw new InvalidArgumentException("requests", "none; at least one is needed");
    }
    return DecodeStepRunner.memoryPlan(model, options, requests);
  }

  /** Bytes of native memory that the sampler holds now, the model's not included. */
  public long workspaceBytes() {
    return runner.bytes();
  }

  /**
   * Cancels what is queued and under way, waits for the worker to end, and frees everything native.
   * A no-op on a closed sampler.
   *
   * @throws IllegalStateException if called by a listener
   */
  @Override
  public void close() {
    checkMayWait();
    synchronized (lock) {
      if (!closed) {
        closed = true;
        closedAt = new Throwable("the sampler was closed here");
        if (stepRuns) {
          runner.cancel();
        }
        lock.notifyAll();
      }
    }
    boolean interrupted = false;
    while (true) {
      try {
        worker.join();
        break;
      } catch (InterruptedException e) {
        // The memory must be free when this returns; the worker ends soon.
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  void checkMayWait() {
    if (Thread.currentThread() == worker) {
      throw new IllegalStateException(
          "a listener must not wait for its sampler, which waits for the listener");
    }
  }

  void cancel(SamplingJob job) {
    boolean queued;
    synchronized (lock) {
      if (job.isDone()) {
        return;
      }
      job.requestCancel();
      queued = queue.remove(job);
      if (stepRuns && isActive(job)) {
        runner.cancel();
      }
    }
    // Outside the lock, since dependent actions of the future run here.
    if (queued) {
      job.completeCancelled();
    }
  }

  private boolean isActive(SamplingJob job) {
    for (ActiveImage image : active) {
      if (image.job() == job) {
        return true;
      }
    }
    return false;
  }

  // ---- the worker thread, which alone changes `active` ----

  private void work() {
    Throwable defect = null;
    try {
      while (prepareStep()) {
        step();
      }
    } catch (RuntimeException | Error e) {
      // Nothing of a request gets here; whoever waits must not wait for ever.
      defect = e;
    }
    List<SamplingJob> left = closeQueue(defect);
    try {
      runner.close();
    } finally {
      for (SamplingJob job : left) {
        if (defect == null) {
          job.completeCancelled();
        } else {
          job.fail(new SamplingException(-1, "the sampler failed: " + defect, defect));
        }
      }
    }
  }

  private List<SamplingJob> closeQueue(Throwable defect) {
    List<SamplingJob> left = new ArrayList<>();
    synchronized (lock) {
      stepRuns = false;
      if (!closed) {
        closed = true;
        closedAt = new Throwable("closed by a failure", defect);
      }
      active.forEach(image -> left.add(image.job()));
      active.clear();
      left.addAll(queue);
      queue.clear();
    }
    return left;
  }

  /** Drops what was cancelled, waits for work, admits it; false once the sampler is closed. */
  private boolean prepareStep() {
    // Between steps nobody cancels the stream, so this forgets the last step's cancel only.
    runner.reset();
    while (true) {
      dropCancelled();
      List<SamplingJob> admitted = new ArrayList<>();
      synchronized (lock) {
        while (!closed && active.isEmpty() && queue.isEmpty()) {
          awaitWork();
        }
        if (closed) {
          return false;
        }
        while (!queue.isEmpty() && active.size() + admitted.size() < options.maxBatch()) {
          admitted.add(queue.remove());
        }
      }
      admit(admitted);
      synchronized (lock) {
        if (closed) {
          return false;
        }
        // A cancel before here was only noted; one after here stops the running step.
        if (!active.isEmpty()
            && active.stream().noneMatch(image -> image.job().cancelRequested())) {
          stepRuns = true;
          return true;
        }
      }
    }
  }

  private void awaitWork() {
    try {
      lock.wait();
    } catch (InterruptedException e) {
      // Nobody but close ends the worker, and it says so in `closed`.
    }
  }

  private void dropCancelled() {
    for (ActiveImage image : List.copyOf(active)) {
      if (image.job().cancelRequested()) {
        remove(image);
        image.job().completeCancelled();
      }
    }
  }

  private void admit(List<SamplingJob> jobs) {
    if (jobs.isEmpty()) {
      return;
    }
    List<ActiveImage> images;
    try {
      images = runner.admit(jobs, active);
    } catch (RuntimeException | Error e) {
      jobs.forEach(
          job ->
              job.fail(
                  new SamplingException(-1, "the request could not begin: " + e.getMessage(), e)));
      return;
    }
    synchronized (lock) {
      active.addAll(images);
    }
  }

  private void step() {
    boolean complete;
    try {
      complete = runner.run(active);
    } catch (RuntimeException | Error e) {
      endStep();
      for (ActiveImage image : List.copyOf(active)) {
        int step = image.step().index();
        fail(
            image,
            new SamplingException(step, "decode step " + step + " failed: " + e.getMessage(), e));
      }
      return;
    }
    endStep();
    if (!complete) {
      return;
    }
    List<ActiveImage> images = List.copyOf(active);
    for (int i = 0; i < images.size(); i++) {
      ActiveImage image = images.get(i);
      SamplingException failure = runner.advance(image, i);
      if (failure == null) {
        image.report(SamplingPhase.DECODED);
        failure = image.failure();
      }
      if (image.job().cancelRequested()) {
        continue;
      }
      if (failure != null) {
        fail(image, failure);
      } else if (image.isFinished()) {
        SamplingResult result = image.result(flopFormula);
        runner.count(result);
        remove(image);
        image.job().complete(result);
      }
    }
  }

  private void endStep() {
    synchronized (lock) {
      stepRuns = false;
    }
  }

  private void fail(ActiveImage image, SamplingException failure) {
    remove(image);
    image.job().fail(failure);
  }

  private void remove(ActiveImage image) {
    synchronized (lock) {
      active.remove(image);
    }
    runner.release(image.slot());
  }
}
