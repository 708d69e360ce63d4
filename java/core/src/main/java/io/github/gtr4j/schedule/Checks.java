package io.github.gtr4j.schedule;

import io.github.gtr4j.InvalidArgumentException;

/** Checks of arguments that several schedules have. */
final class Checks {
  private Checks() {}

  static int diffusionSteps(String argument, int steps) {
    if (steps < 1 || steps > Schedule.MAX_DIFFUSION_STEPS) {
      throw new InvalidArgumentException(
          argument, steps + " diffusion steps; allowed 1 to " + Schedule.MAX_DIFFUSION_STEPS);
    }
    return steps;
  }

  static void notEmpty(CellSet cells) {
    if (cells.size() == 0) {
      throw new InvalidArgumentException("cells", "none; a plan decodes at least one cell");
    }
  }
}
