package io.github.gtr4j.sampling;

import io.github.gtr4j.schedule.CellSet;
import io.github.gtr4j.schedule.DecodeOrder;
import io.github.gtr4j.schedule.DecodeStep;
import io.github.gtr4j.schedule.FlopFormula;
import io.github.gtr4j.schedule.Plan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A request while it is sampled: what is known so far, and which step comes next. */
final class ActiveImage {
  private final SamplingJob job;
  private final SamplingRequest request;
  private final int slot;
  private final int channels;
  private final DecodeOrder order;
  private final int[] cells;
  private final int[] known;
  private int knownCount;
  private int step;
  private final float[] tokens;
  private final int[] diffusionSteps;
  private final List<SamplingTrace.Selection> selections = new ArrayList<>();
  private final long startNanos = System.nanoTime();
  private SamplingException failure;

  ActiveImage(SamplingJob job, int slot, int channels) {
    this.job = job;
    this.request = job.request();
    this.slot = slot;
    this.channels = channels;
    Plan plan = request.plan();
    this.order = plan.order(request.seed(), request.image());
    this.cells = order.toArray();
    int gridCells = plan.grid().cells();
    this.known = new int[gridCells];
    this.tokens = new float[gridCells * channels];
    this.diffusionSteps = new int[gridCells];
    CellSet decoded = plan.cells();
    for (int cell = 0; cell < gridCells; cell++) {
      if (!decoded.contains(cell)) {
        known[knownCount++] = cell;
        System.arraycopy(
            request.knownTokensOrNull(), cell * channels, tokens, cell * channels, channels);
      }
    }
  }

  SamplingJob job() {
    return job;
  }

  SamplingRequest request() {
    return request;
  }

  /** Where its tokens lie in the workspace. */
  int slot() {
    return slot;
  }

  /** Cells whose tokens are known, ascending, at the start of the array. Not to be changed. */
  int[] known() {
    return known;
  }

  int knownCount() {
    return knownCount;
  }

  /** Tokens [cells, channels]; those of unknown cells are zero. Not to be changed. */
  float[] tokens() {
    return tokens;
  }

  /** All cells in decode order. Not to be changed. */
  int[] cells() {
    return cells;
  }

  /** The next step. */
  DecodeStep step() {
    return request.plan().steps().get(step);
  }

  boolean isFinished() {
    return step == request.plan().steps().size();
  }

  /** Whether both halves of the next step are run. */
  boolean isGuided() {
    return request.guidance().isActive();
  }

  float guidanceScale() {
    return (float) request.guidance().scale(request.plan(), step());
  }

  /** What its listener threw, or null. */
  SamplingException failure() {
    return failure;
  }

  /** Tells the listener, unless it has failed before. */
  void report(SamplingPhase phase) {
    if (failure != null) {
      return;
    }
    // At the end of a step `step` counts it already.
    int current = phase == SamplingPhase.DECODED ? step - 1 : step;
    int decoded =
        phase == SamplingPhase.DECODED ? order.plan().steps().get(current).end() : step().start();
    try {
      request
          .listener()
          .onProgress(
              new SamplingProgress(
                  phase, current, request.plan().steps().size(), decoded, cells.length));
    } catch (Throwable t) {
      failure =
          new SamplingException(
              current, "the listener failed at decode step " + current + ": " + t, t);
    }
  }

  /**
   * Ends the step.
   *
   * @param values tokens of the step's cells in decode order, from index {@code from} on
   * @param selected for each of the step's tokens whether it was chosen for detail
   * @param selectedFrom index of the first one's
   * @param scores of the step's tokens, from the same index on; read if the step chooses
   * @return null, or why the request ends here
   */
  SamplingException advance(
      float[] values, int from, boolean[] selected, float[] scores, int selectedFrom) {
    DecodeStep decoded = step();
    for (int i = 0; i < decoded.tokens(); i++) {
      int cell = cells[decoded.start() + i];
      for (int c = 0; c < channels; c++) {
        float value = values[from + i * channels + c];
        if (!Float.isFinite(value)) {
          return new SamplingException(
              step,
              "decode step "
                  + step
                  + " of "
                  + request.plan().steps().size()
                  + " gave latents that are not finite: channel "
                  + c
                  + " of cell "
                  + cell
                  + " is "
                  + value,
              null);
        }
        tokens[cell * channels + c] = value;
      }
      diffusionSteps[cell] =
          selected[selectedFrom + i] ? decoded.detailDiffusionSteps() : decoded.diffusionSteps();
    }
    if (decoded.detailTokens() > 0) {
      selections.add(selection(decoded, selected, scores, selectedFrom));
    }
    System.arraycopy(cells, decoded.start(), known, knownCount, decoded.tokens());
    knownCount += decoded.tokens();
    Arrays.sort(known, 0, knownCount);
    step++;
    return null;
  }

  private SamplingTrace.Selection selection(
      DecodeStep decoded, boolean[] selected, float[] scores, int from) {
    int[] chosen = new int[decoded.detailTokens()];
    int count = 0;
    for (int i = 0; i < decoded.tokens(); i++) {
      if (selected[from + i]) {
        chosen[count++] = cells[decoded.start() + i];
      }
    }
    return new SamplingTrace.Selection(
        decoded.index(),
        order.cells(decoded),
        Arrays.copyOfRange(scores, from, from + decoded.tokens()),
        chosen);
  }

  SamplingResult result(FlopFormula formula) {
    int gridCells = request.plan().grid().cells();
    float[] latents = new float[tokens.length];
    for (int cell = 0; cell < gridCells; cell++) {
      for (int c = 0; c < channels; c++) {
        latents[c * gridCells + cell] = tokens[cell * channels + c];
      }
    }
    return new SamplingResult(
        request,
        channels,
        latents,
        new SamplingTrace(order, diffusionSteps, selections),
        formula.of(request.plan(), isGuided()),
        System.nanoTime() - startNanos);
  }
}
