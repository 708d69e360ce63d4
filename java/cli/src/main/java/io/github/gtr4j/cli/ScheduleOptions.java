package io.github.gtr4j.cli;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.schedule.MarSchedule;
import io.github.gtr4j.schedule.Plan;
import io.github.gtr4j.schedule.Schedule;
import io.github.gtr4j.schedule.TokenGrid;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which schedule, and its numbers; options of the other schedule are refused. */
final class ScheduleOptions {
  @Option(
      names = "--schedule",
      paramLabel = "gtr|mar",
      defaultValue = "gtr",
      description = "Generation-then-Reconstruction (default), or MAR's cosine schedule.")
  private String kind;

  @Option(
      names = "--steps",
      paramLabel = "N[,N...]",
      description =
          "Decode steps. GtR: of each stage, at least two (default 12,3,1)."
              + " MAR: one number (default 64, or the number of tokens if less).")
  private String steps;

  @Mixin private GtrOptions gtr;

  @Option(
      names = "--diffusion-steps",
      paramLabel = "N",
      description = "MAR: diffusion steps of each token (default 100).")
  private String diffusionSteps;

  ScheduleKind kind() {
    return OptionValues.choice("--schedule", kind, ScheduleKind.class);
  }

  Schedule schedule() {
    return kind() == ScheduleKind.GTR ? gtrSchedule() : marSchedule();
  }

  private Schedule gtrSchedule() {
    if (diffusionSteps != null) {
      throw new BadInputException(
          "--diffusion-steps",
          "is an option of --schedule mar; gtr has --t-max, --t-min, --t-rec and --t-detail");
    }
    return gtr.schedule(steps);
  }

  private Schedule marSchedule() {
    if (!gtr.given().isEmpty()) {
      throw new BadInputException(
          gtr.given().get(0), "is an option of --schedule gtr; mar has --diffusion-steps");
    }
    return marSchedule("--steps", steps, diffusionSteps);
  }

  /** The MAR schedule of option values, which may be null. */
  static MarSchedule marSchedule(String stepsOption, String steps, String diffusionSteps) {
    MarSchedule.Builder builder = MarSchedule.builder();
    if (steps != null) {
      if (steps.contains(",")) {
        throw new BadInputException(
            stepsOption, "'" + steps + "'; the MAR schedule takes one number, such as 64");
      }
      builder.steps(OptionValues.smallInteger(stepsOption, steps, 1, TokenGrid.MAX_CELLS));
    }
    if (diffusionSteps != null) {
      builder.diffusionSteps(
          OptionValues.smallInteger(
              "--diffusion-steps", diffusionSteps, 1, Schedule.MAX_DIFFUSION_STEPS));
    }
    return builder.build();
  }

  /** Plans a grid; steps that do not fit are blamed on an option. */
  static Plan plan(Schedule schedule, TokenGrid grid, String stepsOption) {
    try {
      return schedule.plan(grid);
    } catch (InvalidArgumentException e) {
      throw new BadInputException(stepsOption, e.problem());
    }
  }
}
