package io.github.gtr4j.kernel;

import io.github.gtr4j.binding.Gtr;
import io.github.gtr4j.binding.Status;
import io.github.gtr4j.binding.Structs;
import io.github.gtr4j.binding.gtr_diffusion_step;
import java.util.ArrayList;
import java.util.List;

/** The reverse steps of a chain, as the native kernels use them. */
public final class DiffusionTable {
  private DiffusionTable() {}

  /**
   * The table of a chain; index 0 is the step with the least noise, which runs last.
   *
   * @param steps number of sampling steps, 1 to 1000
   */
  public static List<DiffusionStep> of(int steps) {
    Arguments.within("diffusion_table", "steps", steps, 1, 1000);
    gtr_diffusion_step table = Structs.diffusionSteps(steps);
    Status.check(Gtr.gtr_diffusion_table(steps, table));
    gtr_diffusion_step s = new gtr_diffusion_step(table);
    List<DiffusionStep> result = new ArrayList<>(steps);
    for (int i = 0; i < steps; i++) {
      s.position(i);
      result.add(
          new DiffusionStep(
              s.base_step(),
              s.beta(),
              s.alpha_bar(),
              s.min_log_variance(),
              s.max_log_variance(),
              s.x0_coefficient(),
              s.x_coefficient(),
              s.reciprocal_root(),
              s.reciprocal_root_minus_1()));
    }
    return List.copyOf(result);
  }
}
