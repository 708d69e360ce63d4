package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.schedule.DecodeStep;
import io.github.gtr4j.schedule.GtrSchedule;
import io.github.gtr4j.schedule.MarSchedule;
import io.github.gtr4j.schedule.Plan;
import io.github.gtr4j.schedule.TokenGrid;
import java.util.ArrayList;
import java.util.List;

/**
 * The sizes of a decode step of guided images that are at the same step: each is two sequences.
 *
 * @param name such as "GtR step 1, batch 8"
 * @param images of the batch
 * @param encoderLength buffer and known tokens of a sequence
 * @param decoderLength buffer and all tokens of a sequence
 * @param tokens that a sequence decodes
 * @param groups tokens of all images by their diffusion steps, most steps first
 */
record StepShape(
    String name,
    int images,
    int encoderLength,
    int decoderLength,
    int tokens,
    List<HeadWorkload.Group> groups) {

  /** The step with an index of GtR's default plan. */
  static StepShape gtr(MarConfiguration model, int index, int images) {
    return of("GtR", GtrSchedule.defaults().plan(grid(model)), model, index, images);
  }

  /** The step with an index of MAR's plan of 64 steps. */
  static StepShape mar(MarConfiguration model, int index, int images) {
    return of("MAR", MarSchedule.defaults().plan(grid(model)), model, index, images);
  }

  private static TokenGrid grid(MarConfiguration model) {
    return new TokenGrid(model.gridHeight(), model.gridWidth());
  }

  private static StepShape of(
      String schedule, Plan plan, MarConfiguration model, int index, int images) {
    DecodeStep step = plan.steps().get(index);
    List<HeadWorkload.Group> groups = new ArrayList<>();
    if (step.detailTokens() > 0) {
      groups.add(new HeadWorkload.Group(images * step.detailTokens(), step.detailDiffusionSteps()));
    }
    groups.add(
        new HeadWorkload.Group(
            images * (step.tokens() - step.detailTokens()), step.diffusionSteps()));
    String name =
        schedule + " step " + (index + 1) + " of " + plan.steps().size() + ", batch " + images;
    return new StepShape(
        name,
        images,
        model.buffer() + step.known(),
        model.buffer() + model.tokens(),
        step.tokens(),
        List.copyOf(groups));
  }

  int sequences() {
    return 2 * images;
  }

  int encoderRows() {
    return sequences() * encoderLength;
  }

  int decoderRows() {
    return sequences() * decoderLength;
  }

  /** Of which condition vectors are wanted: all that the last decoder block computes. */
  int wantedRows() {
    return sequences() * tokens;
  }
}
