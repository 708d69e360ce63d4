// The respaced diffusion of MAR in double: 1000 base steps, cosine schedule, sampling steps as the official code picks
// them.
#pragma once

#include <vector>

namespace gtr::test::reference {

struct DiffusionStep {
  int base_step;
  double beta;
  double alpha_bar;
  double min_log_variance;
  double max_log_variance;
  double x0_coefficient;
  double x_coefficient;
  double reciprocal_root;
  double reciprocal_root_minus_1;
};

// Index 0 has the least noise.
std::vector<DiffusionStep> diffusion_table(int steps);

}  // namespace gtr::test::reference
