#include "head_update.h"

#include <cmath>

namespace gtr::cpu {

// In the order of operations of MAR's published code, which the sampled pictures depend on to rounding.
void head_update_row(const gtr_diffusion_step& step, const HeadPrediction& prediction, int64_t channels, float clip,
                     const float* noise, float temperature, float* x) noexcept {
  const float min_log_variance = static_cast<float>(step.min_log_variance);
  const float max_log_variance = static_cast<float>(step.max_log_variance);
  const float x0_coefficient = static_cast<float>(step.x0_coefficient);
  const float x_coefficient = static_cast<float>(step.x_coefficient);
  const float reciprocal_root = static_cast<float>(step.reciprocal_root);
  const float reciprocal_root_minus_1 = static_cast<float>(step.reciprocal_root_minus_1);
  for (int64_t c = 0; c < channels; ++c) {
    float epsilon = prediction.conditional[c];
    if (prediction.unconditional != nullptr) {
      const float base = prediction.unconditional[c];
      epsilon = base + prediction.cfg * (epsilon - base);
    }
    float x0 = reciprocal_root * x[c] - reciprocal_root_minus_1 * epsilon;
    if (clip > 0.0f) {
      x0 = x0 > clip ? clip : x0 < -clip ? -clip : x0;  // a NaN stays one
    }
    x[c] = x0_coefficient * x0 + x_coefficient * x[c];
    if (noise != nullptr) {
      const float fraction = (prediction.conditional[channels + c] + 1.0f) / 2.0f;
      const float log_variance = fraction * max_log_variance + (1.0f - fraction) * min_log_variance;
      x[c] += std::exp(0.5f * log_variance) * noise[c] * temperature;
    }
  }
}

}  // namespace gtr::cpu
