#include "diffusion_table.h"

#include <algorithm>
#include <cmath>

namespace gtr {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kMaxBeta = 0.999;

// The cosine schedule of Nichol and Dhariwal at t in 0..1.
double cosine_alpha_bar(double t) noexcept {
  const double root = std::cos((t + 0.008) / 1.008 * kPi / 2);
  return root * root;
}

}  // namespace

void diffusion_table(int32_t steps, gtr_diffusion_step* table) noexcept {
  // The base steps kept, as the official code picks them: the sum is accumulated, not multiplied out, and rounded half
  // to even (the default mode of nearbyint).
  const double stride = steps > 1 ? (kBaseSteps - 1.0) / (steps - 1) : 0.0;
  double position = 0.0;
  for (int32_t i = 0; i < steps; ++i) {
    table[i] = gtr_diffusion_step{};
    table[i].base_step = static_cast<int32_t>(std::nearbyint(position));
    position += stride;
  }

  // Respacing: the betas that give the base chain's alpha_bar at the steps kept.
  double base_alpha_bar = 1.0;
  double previous_kept = 1.0;
  for (int32_t base = 0, i = 0; i < steps; ++base) {
    const double t0 = base / static_cast<double>(kBaseSteps);
    const double t1 = (base + 1) / static_cast<double>(kBaseSteps);
    base_alpha_bar *= 1.0 - std::min(1.0 - cosine_alpha_bar(t1) / cosine_alpha_bar(t0), kMaxBeta);
    if (base == table[i].base_step) {
      table[i].beta = 1.0 - base_alpha_bar / previous_kept;
      previous_kept = base_alpha_bar;
      ++i;
    }
  }

  double previous = 1.0;
  for (int32_t i = 0; i < steps; ++i) {
    gtr_diffusion_step& step = table[i];
    const double alpha_bar = previous * (1.0 - step.beta);
    const double posterior_variance = step.beta * (1.0 - previous) / (1.0 - alpha_bar);
    step.alpha_bar = alpha_bar;
    step.min_log_variance = i > 0 ? std::log(posterior_variance) : 0.0;
    step.max_log_variance = std::log(step.beta);
    step.x0_coefficient = step.beta * std::sqrt(previous) / (1.0 - alpha_bar);
    step.x_coefficient = (1.0 - previous) * std::sqrt(1.0 - step.beta) / (1.0 - alpha_bar);
    step.reciprocal_root = std::sqrt(1.0 / alpha_bar);
    step.reciprocal_root_minus_1 = std::sqrt(1.0 / alpha_bar - 1.0);
    previous = alpha_bar;
  }
  // The posterior variance of step 0 is 0 and has no logarithm.
  table[0].min_log_variance = steps > 1 ? table[1].min_log_variance : table[0].max_log_variance;
}

}  // namespace gtr
