package io.github.gtr4j.sampling;

import io.github.gtr4j.CancelledException;
import io.github.gtr4j.GtrException;
import io.github.gtr4j.device.Backend;
import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceBuffer;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.ChainArguments;
import io.github.gtr4j.kernel.FrequencyEnergy;
import io.github.gtr4j.kernel.Segments;
import io.github.gtr4j.kernel.TopFraction;
import io.github.gtr4j.model.ConditionBatch;
import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.model.MarModel;
import io.github.gtr4j.model.MarWorkspace;
import io.github.gtr4j.model.WorkspaceSize;
import io.github.gtr4j.sampling.StepMemory.Input;
import io.github.gtr4j.sampling.StepMemory.Views;
import io.github.gtr4j.schedule.DecodeStep;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * Runs one decode step of every image of a batch on the device: condition vectors,
 * frequency-weighted selection, diffusion chains. Holds all native memory of a sampler. For the
 * sampler's worker thread, but for {@link #cancel} and the getters.
 */
final class DecodeStepRunner implements AutoCloseable {
  private final MarModel model;
  private final MarConfiguration configuration;
  private final Device device;
  private final Stream stream;
  private final SamplerOptions options;
  private final boolean timePhases;
  private final ChainArguments chain;
  private final Segments segments;
  private final ConditionBatch batch;
  private final ChainLayout layout = new ChainLayout();
  private final BitSet slots = new BitSet();

  private MarWorkspace workspace;
  private StepMemory memory;
  private DeviceBuffer scratchBuffer;
  private Tensor scratch;
  private volatile long bytes;

  // Of the step that runs or was run last; by position in the batch.
  private int[] firstRow = new int[8];
  private int[] detailPart = new int[8];
  private int rows;
  private int guidedRows;
  private boolean[] selected = new boolean[64];
  private float[] scores = new float[64];
  private float[] tokens = new float[64];

  private volatile SamplingStatistics statistics =
      new SamplingStatistics(0, 0, 0, 0, 0, 0, 0, 0, 0);

  DecodeStepRunner(MarModel model, SamplerOptions options) {
    this.model = model;
    this.options = options;
    // The CPU has done its work when a call returns: waiting costs nothing.
    timePhases = options.timePhases() || model.device().info().backend() == Backend.CPU;
    configuration = model.configuration();
    device = model.device();
    // Two groups per image at most: the tokens chosen for detail, and the others.
    chain = new ChainArguments(2 * options.maxBatch());
    segments = new Segments(options.maxBatch());
    batch = new ConditionBatch(configuration);
    chain.x0Clip(configuration.x0Clip().orElse(0)).modulationBytes(options.modulationBytes());
    model.acquire("sampling");
    try {
      stream = device.newStream();
    } catch (Throwable e) {
      model.release();
      throw e;
    }
  }

  /** Stops the step that runs, from any thread, and every later one until {@link #reset}. */
  void cancel() {
    stream.cancel();
  }

  void reset() {
    stream.reset();
  }

  SamplingStatistics statistics() {
    return statistics;
  }

  /** Bytes of native memory that it holds. */
  long bytes() {
    return bytes;
  }

  // ---- room ----

  /**
   * Makes room for further images beside those that are under way, and takes their known tokens.
   *
   * @throws RuntimeException if there is not enough memory; the images that are under way are not
   *     harmed
   */
  List<ActiveImage> admit(List<SamplingJob> jobs, List<ActiveImage> active) {
    List<SamplingRequest> requests = new ArrayList<>();
    ChainForecast forecast = new ChainForecast(model, options);
    for (ActiveImage image : active) {
      requests.add(image.request());
      forecast.add(image.request(), image.step().index());
    }
    for (SamplingJob job : jobs) {
      requests.add(job.request());
      forecast.add(job.request(), 0);
    }
    List<ActiveImage> admitted = new ArrayList<>();
    try {
      StepSize size = StepSize.of(requests, options.maxBatch());
      makeRoom(size, scratchBytes(model, size, forecast), active);
      for (SamplingJob job : jobs) {
        int slot = slots.nextClearBit(0);
        slots.set(slot);
        ActiveImage image = new ActiveImage(job, slot, configuration.channels());
        admitted.add(image);
        putKnownTokens(image);
      }
    } catch (RuntimeException | Error e) {
      drain();
      admitted.forEach(image -> release(image.slot()));
      throw e;
    }
    return admitted;
  }

  /** Gives an image's place back. */
  void release(int slot) {
    slots.clear(slot);
  }

  private void makeRoom(StepSize needed, long scratchBytes, List<ActiveImage> active) {
    WorkspaceSize size = needed.workspace();
    MarWorkspace oldWorkspace = workspace;
    StepMemory oldMemory = memory;
    MarWorkspace newWorkspace = oldWorkspace;
    if (oldWorkspace == null) {
      newWorkspace = model.newWorkspace(stream, size);
    } else if (!oldWorkspace.size().covers(size)) {
      newWorkspace = model.newWorkspace(stream, oldWorkspace.size().max(size));
    }
    StepMemory newMemory = oldMemory;
    if (oldMemory == null || oldMemory.rows() < needed.rows()) {
      try {
        newMemory = new StepMemory(device, configuration, needed.rows());
      } catch (Throwable e) {
        if (newWorkspace != oldWorkspace) {
          newWorkspace.close();
        }
        throw e;
      }
    }
    workspace = newWorkspace;
    memory = newMemory;
    if (newMemory != oldMemory && oldMemory != null) {
      oldMemory.close();
    }
    if (newWorkspace != oldWorkspace && oldWorkspace != null) {
      oldWorkspace.close();
      active.forEach(this::putKnownTokens);
    }
    countBytes();
    growScratch(scratchBytes);
  }

  private void countBytes() {
    bytes = workspace.bytes() + memory.bytes() + (scratchBuffer == null ? 0 : scratchBuffer.size());
  }

  private void growScratch(long needed) {
    if (needed > (scratchBuffer == null ? 0 : scratchBuffer.size())) {
      if (scratchBuffer != null) {
        // Before the larger one is allocated: nothing in it is kept.
        scratchBuffer.close();
        scratchBuffer = null;
        scratch = null;
      }
      scratchBuffer = device.allocate(needed);
      scratch = scratchBuffer.tensor(DType.U8, needed);
      countBytes();
    }
  }

  private void putKnownTokens(ActiveImage image) {
    int channels = configuration.channels();
    for (int first = 0; first < image.knownCount(); first += memory.rows()) {
      int count = Math.min(memory.rows(), image.knownCount() - first);
      for (int i = 0; i < count; i++) {
        int cell = image.known()[first + i];
        memory.putX(i, image.tokens(), cell * channels);
        memory.put(Input.TOKEN, i, image.slot() * configuration.tokens() + cell);
      }
      Views views = memory.views(count);
      memory.sendInputs(stream);
      memory.sendTokens(stream, views);
      workspace.putTokens(views.x(), views.token(), views.projection());
      stream.synchronize();
    }
  }

  // ---- a step ----

  /** Memory that a sampler with these options takes for requests. */
  static MemoryPlan memoryPlan(
      MarModel model, SamplerOptions options, List<SamplingRequest> requests) {
    StepSize size = StepSize.of(requests, options.maxBatch());
    ChainForecast forecast = new ChainForecast(model, options);
    requests.forEach(request -> forecast.add(request, 0));
    return new MemoryPlan(
        model.weightBytes(),
        model.workspaceBytes(size.workspace())
            + StepMemory.bytes(model.configuration(), size.rows()),
        scratchBytes(model, size, forecast));
  }

  private static long scratchBytes(MarModel model, StepSize size, ChainForecast forecast) {
    return Math.max(StepSize.selectionScratchBytes(model, size.rows()), forecast.scratchBytes());
  }

  /**
   * Runs the next decode step of the images.
   *
   * @return false if it was cancelled, and then nothing has changed
   */
  boolean run(List<ActiveImage> images) {
    long begin = System.nanoTime();
    long backbone = 0;
    long selection = 0;
    long head = 0;
    boolean complete = false;
    try {
      prepare(images);
      Views views = memory.views(rows);
      report(images, SamplingPhase.BACKBONE);
      long start = System.nanoTime();
      Tensor conditions = workspace.compute(batch);
      memory.sendInputs(stream);
      prepareChain(conditions, views);
      backbone = endPhase(start);
      if (segments.size() > 0) {
        report(images, SamplingPhase.SELECTION);
        start = System.nanoTime();
        select(images, conditions, views);
        selection = endPhase(start);
      }
      report(images, SamplingPhase.HEAD);
      start = System.nanoTime();
      model.head().chain(stream, chain, views.x(), scratch);
      head = endPhase(start);
      start = System.nanoTime();
      workspace.putTokens(views.x(), views.token(), views.projection());
      memory.fetchTokens(stream, views);
      backbone += endPhase(start);
      // The one time that a step on a GPU waits for it, if phases are not timed.
      stream.synchronize();
      readSelection(images);
      complete = true;
    } catch (CancelledException e) {
      // The sampler drops who cancelled, and runs the step again for the others.
    } finally {
      if (!complete) {
        drain();
      }
      count(complete ? images.size() : 0, backbone, selection, head, System.nanoTime() - begin);
    }
    return complete;
  }

  /** The time since the start of a phase, whose work is waited for; 0 if phases are not timed. */
  private long endPhase(long start) {
    if (!timePhases) {
      return 0;
    }
    stream.synchronize();
    return System.nanoTime() - start;
  }

  /**
   * After a failure: waits for what was enqueued before it, which uses the memory that is written
   * or closed next.
   */
  private void drain() {
    if (!stream.isIdle()) {
      try {
        stream.synchronize();
      } catch (GtrException e) {
        // What went wrong first is what the caller hears.
      }
    }
  }

  private static void report(List<ActiveImage> images, SamplingPhase phase) {
    for (ActiveImage image : images) {
      if (phase != SamplingPhase.SELECTION || image.step().detailTokens() > 0) {
        image.report(phase);
      }
    }
  }

  /**
   * Orders the rows of the step: guided images first, so that their unconditional halves can follow
   * all others.
   */
  private void prepare(List<ActiveImage> images) {
    int count = images.size();
    if (firstRow.length < count) {
      firstRow = new int[2 * count];
      detailPart = new int[2 * count];
    }
    batch.clear();
    layout.clear();
    segments.clear();
    rows = 0;
    for (int i = 0; i < count; i++) {
      if (images.get(i).isGuided()) {
        addImage(images.get(i), i);
      }
    }
    guidedRows = rows;
    for (int i = 0; i < count; i++) {
      if (!images.get(i).isGuided()) {
        addImage(images.get(i), i);
      }
    }
    for (int i = 0; i < count; i++) {
      if (images.get(i).isGuided()) {
        addSequence(images.get(i), -1);
      }
    }
    layout.arrange();
    for (int i = 0; i < count; i++) {
      fillInputs(images.get(i), i);
    }
    layout.fill(chain);
    if (selected.length < rows) {
      selected = new boolean[rows];
      scores = new float[rows];
    }
    if (tokens.length < rows * configuration.channels()) {
      tokens = new float[rows * configuration.channels()];
    }
    Arrays.fill(selected, false);
  }

  private void addImage(ActiveImage image, int position) {
    addSequence(image, image.request().labelOrMinusOne());
    DecodeStep step = image.step();
    firstRow[position] = rows;
    // The part chosen for detail, if there is one, and after it the part of the others.
    detailPart[position] =
        layout.add(step.detailDiffusionSteps(), image.isGuided(), step.detailTokens());
    layout.add(step.diffusionSteps(), image.isGuided(), step.tokens() - step.detailTokens());
    rows += step.tokens();
  }

  private void addSequence(ActiveImage image, int label) {
    DecodeStep step = image.step();
    batch.add(
        label,
        image.slot(),
        image.known(),
        image.knownCount(),
        image.cells(),
        step.start(),
        step.tokens());
  }

  private void fillInputs(ActiveImage image, int position) {
    DecodeStep step = image.step();
    SamplingRequest request = image.request();
    int first = firstRow[position];
    float scale = image.isGuided() ? image.guidanceScale() : 1;
    for (int i = 0; i < step.tokens(); i++) {
      int cell = image.cells()[step.start() + i];
      memory.put(Input.SEED, first + i, request.seed());
      memory.put(Input.IMAGE, first + i, (int) request.image());
      memory.put(Input.CELL, first + i, cell);
      memory.put(Input.CFG, first + i, scale);
      memory.put(Input.TEMPERATURE, first + i, request.temperature());
      memory.put(Input.TOKEN, first + i, image.slot() * configuration.tokens() + cell);
    }
    int selectedAt = layout.start(detailPart[position]);
    int restAt = layout.start(detailPart[position] + 1);
    if (step.detailTokens() > 0) {
      segments.add(first, step.tokens(), step.detailTokens(), selectedAt, restAt);
    } else {
      for (int i = 0; i < step.tokens(); i++) {
        memory.put(Input.PLACE, restAt + i, first + i);
      }
    }
  }

  /**
   * Scores the images that select and completes the chain's places by the choice, on the device.
   */
  private void select(List<ActiveImage> images, Tensor conditions, Views views) {
    for (int i = 0; i < images.size(); i++) {
      DecodeStep step = images.get(i).step();
      if (step.detailTokens() > 0) {
        FrequencyEnergy.run(
            stream,
            conditions.rows(firstRow[i], step.tokens()),
            views.score().rows(firstRow[i], step.tokens()),
            scratch);
      }
    }
    TopFraction.run(stream, views.score(), views.cell(), segments, views.place(), scratch);
    memory.fetchPlaces(stream, views);
  }

  /** Reads what the device chose, once the stream has passed {@link #select}. */
  private void readSelection(List<ActiveImage> images) {
    for (int i = 0; i < images.size(); i++) {
      DecodeStep step = images.get(i).step();
      if (step.detailTokens() > 0) {
        int start = layout.start(detailPart[i]);
        for (int r = 0; r < step.detailTokens(); r++) {
          selected[memory.place(start + r)] = true;
        }
        for (int r = 0; r < step.tokens(); r++) {
          scores[firstRow[i] + r] = memory.score(firstRow[i] + r);
        }
      }
    }
  }

  private void prepareChain(Tensor conditions, Views views) {
    chain
        .place(views.place())
        .z(conditions.rows(0, rows))
        .zUnconditional(guidedRows == 0 ? null : unconditional(conditions))
        .cfg(guidedRows == 0 ? null : views.cfg())
        .seed(views.seed())
        .image(views.image())
        .cell(views.cell())
        .temperature(views.temperature());
    // Planned for at admission, but for groups that a cancelled request leaves behind.
    growScratch(
        Math.max(
            model.head().chainScratchBytes(chain),
            segments.size() == 0 ? 0 : StepSize.selectionScratchBytes(model, rows)));
  }

  /**
   * One row per row of the conditional half, of which only the guided ones, which come first, are
   * read.
   */
  private Tensor unconditional(Tensor conditions) {
    int width = configuration.width();
    return conditions
        .rows(rows, guidedRows)
        .withLayout(new long[] {rows, width}, new long[] {width, 1});
  }

  /** Ends the step that was run for an image of the batch; null, or why the image ends here. */
  SamplingException advance(ActiveImage image, int position) {
    int first = firstRow[position];
    int channels = configuration.channels();
    int count = image.step().tokens();
    for (int r = first; r < first + count; r++) {
      for (int c = 0; c < channels; c++) {
        tokens[r * channels + c] = memory.x(r, c);
      }
    }
    return image.advance(tokens, first * channels, selected, scores, first);
  }

  // ---- the account ----

  private void count(int images, long backbone, long selection, long head, long total) {
    SamplingStatistics s = statistics;
    statistics =
        new SamplingStatistics(
            s.images(),
            s.batchSteps() + 1,
            s.imageSteps() + images,
            s.tokens() + (images == 0 ? 0 : rows),
            s.backboneNanos() + backbone,
            s.selectionNanos() + selection,
            s.headNanos() + head,
            s.totalNanos() + total,
            s.flops());
  }

  /** Counts a finished image. */
  void count(SamplingResult result) {
    SamplingStatistics s = statistics;
    statistics =
        new SamplingStatistics(
            s.images() + 1,
            s.batchSteps(),
            s.imageSteps(),
            s.tokens(),
            s.backboneNanos(),
            s.selectionNanos(),
            s.headNanos(),
            s.totalNanos(),
            s.flops() + result.flops().total());
  }

  @Override
  public void close() {
    try {
      drain();
      if (workspace != null) {
        workspace.close();
      }
      if (memory != null) {
        memory.close();
      }
      if (scratchBuffer != null) {
        scratchBuffer.close();
      }
      stream.close();
    } finally {
      bytes = 0;
      model.release();
    }
  }
}
