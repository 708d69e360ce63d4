package io.github.gtr4j.cli;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.schedule.GtrSchedule;
import io.github.gtr4j.schedule.Schedule;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** What only the GtR schedule has. */
final class GtrOptions {
  @Option(
      names = "--t-max",
      paramLabel = "N",
      description = "GtR: diffusion steps of the first generation step (default 50).")
  private String tMax;

  @Option(
      names = "--t-min",
      paramLabel = "N",
      description = "GtR: diffusion steps of the last generation step (default 20).")
  private String tMin;

  @Option(
      names = "--t-rec",
      paramLabel = "N",
      description = "GtR: diffusion steps in the reconstruction (default 20).")
  private String tRec;

  @Option(
      names = "--detail-fraction",
      paramLabel = "X",
      description =
          "GtR: share of the reconstructed tokens that is chosen for detail (default 0.1; 0:"
              + " none).")
  private String detailFraction;

  @Option(
      names = "--t-detail",
      paramLabel = "N",
      description = "GtR: diffusion steps of the tokens chosen for detail (default 50).")
  private String tDetail;

  /** The options that were given. */
  List<String> given() {
    List<String> given = new ArrayList<>();
    String[] names = {"--t-max", "--t-min", "--t-rec", "--detail-fraction", "--t-detail"};
    String[] values = {tMax, tMin, tRec, detailFraction, tDetail};
    for (int k = 0; k < names.length; k++) {
      if (values[k] != null) {
        given.add(names[k]);
      }
    }
    return given;
  }

  /**
   * The schedule.
   *
   * @param steps the value of {@code --steps}, or null
   */
  GtrSchedule schedule(String steps) {
    GtrSchedule.Builder builder = GtrSchedule.builder();
    if (steps != null) {
      try {
        builder.steps(OptionValues.integers("--steps", steps, 1, Integer.MAX_VALUE));
      } catch (InvalidArgumentException e) {
        throw new BadInputException("--steps", e.problem());
      }
    }
    int most = diffusionSteps("--t-max", tMax, GtrSchedule.defaults().tMax());
    int least = diffusionSteps("--t-min", tMin, GtrSchedule.defaults().tMin());
    if (least > most) {
      throw new BadInputException(
          tMin != null ? "--t-min" : "--t-max",
          tMin != null
              ? least + "; allowed 1 to " + most + ", which is --t-max"
              : most
                  + "; allowed "
                  + least
                  + ", which is --t-min, to "
                  + Schedule.MAX_DIFFUSION_STEPS);
    }
    builder.tMax(most).tMin(least);
    builder.tReconstruction(
        diffusionSteps("--t-rec", tRec, GtrSchedule.defaults().tReconstruction()));
    builder.tDetail(diffusionSteps("--t-detail", tDetail, GtrSchedule.defaults().tDetail()));
    if (detailFraction != null) {
      builder.detailFraction(OptionValues.real("--detail-fraction", detailFraction, 1));
    }
    return builder.build();
  }

  private static int diffusionSteps(String option, String text, int otherwise) {
    return text == null
        ? otherwise
        : OptionValues.smallInteger(option, text, 1, Schedule.MAX_DIFFUSION_STEPS);
  }
}
