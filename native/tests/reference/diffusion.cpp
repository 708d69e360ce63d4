#include "reference/diffusion.h"

#include <algorithm>
#include <cmath>

namespace gtr::test::reference {
namespace {

// alpha-bar of every base step: the running product of 1 - beta.
std::vector<double> base_alpha_bars() {
  const auto cosine = [](double t) {
    const double c = std::cos((t + 0.008) / 1.008 * std::acos(-1.0) / 2);
    return c * c;
  };
  std::vector<double> alpha_bars;
  double product = 1;
  for (int i = 0; i < 1000; ++i) {
    const double beta = std::min(1 - cosine((i + 1) / 1000.0) / cosine(i / 1000.0), 0.999);
    product *= 1 - beta;
    alpha_bars.push_back(product);
  }
  return alpha_bars;
}

}  // namespace

std::vector<DiffusionStep> diffusion_table(int steps) {
  const std::vector<double> base = base_alpha_bars();
  std::vector<DiffusionStep> table;
  double position = 0;
  double base_previous = 1;
  double previous = 1;
  for (int i = 0; i < steps; ++i) {
    DiffusionStep step{};
    step.base_step = static_cast<int>(std::nearbyint(position));  // half to even, as Python's round
    if (steps > 1) position += 999.0 / (steps - 1);
    const double base_alpha_bar = base[static_cast<size_t>(step.base_step)];
    step.beta = 1 - base_alpha_bar / base_previous;
    base_previous = base_alpha_bar;
    // As the respaced process of improved DDPM has it: the product of its own betas, which near the end, where beta is
    // almost 1, differs from the base value by more than rounding.
    step.alpha_bar = previous * (1 - step.beta);
    const double left = 1 - step.alpha_bar;
    step.min_log_variance = std::log(step.beta * (1 - previous) / left);
    step.max_log_variance = std::log(step.beta);
    step.x0_coefficient = step.beta * std::sqrt(previous) / left;
    step.x_coefficient = (1 - previous) * std::sqrt(1 - step.beta) / left;
    step.reciprocal_root = std::sqrt(1 / step.alpha_bar);
    step.reciprocal_root_minus_1 = std::sqrt(1 / step.alpha_bar - 1);
    previous = step.alpha_bar;
    table.push_back(step);
  }
  // The posterior variance of step 0 is 0: that of step 1 stands in for it, and beta where there is no step 1.
  table[0].min_log_variance = steps > 1 ? table[1].min_log_variance : table[0].max_log_variance;
  return table;
}

}  // namespace gtr::test::reference
