// One row's reverse step, given what the head says about it.
#pragma once

#include <cstdint>

#include "gtr/gtr.h"

namespace gtr::cpu {

struct HeadPrediction {
  const float* conditional;    // epsilon, then v
  const float* unconditional;  // null if the row is not guided
  float cfg;
};

// x, of `channels` values, goes from one step to the next. noise: that of this step, null at the last. clip: bound of
// x0, 0 for none.
void head_update_row(const gtr_diffusion_step& step, const HeadPrediction& prediction, int64_t channels, float clip,
                     const float* noise, float temperature, float* x) noexcept;

}  // namespace gtr::cpu
