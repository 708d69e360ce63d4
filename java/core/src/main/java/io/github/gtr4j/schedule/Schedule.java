package io.github.gtr4j.schedule;

/**
 * A recipe for decoding a grid of tokens, which gives a {@link Plan} for any grid that is large
 * enough for it. Immutable.
 */
public sealed interface Schedule permits MarSchedule, GtrSchedule {
  /** Most diffusion steps that a token can get: the base steps that the model was trained with. */
  int MAX_DIFFUSION_STEPS = 1000;

  /**
   * Plans a whole grid.
   *
   * @throws io.github.gtr4j.InvalidArgumentException if the grid is too small for the schedule; the
   *     message names the largest value that is allowed
   */
  default Plan plan(TokenGrid grid) {
    return plan(CellSet.all(grid));
  }

  /**
   * Plans a set of cells; the other cells of the grid are known from the start. If the set is not
   * the whole grid, a stage without any of its cells is skipped, and one with fewer cells than
   * steps takes one step per cell.
   *
   * @throws io.github.gtr4j.InvalidArgumentException if the set is empty, or is a whole grid that
   *     is too small for the schedule
   */
  Plan plan(CellSet cells);
}
