// The coefficients of respaced diffusion chains.
#pragma once

#include <cstdint>

#include "gtr/gtr.h"

namespace gtr {

// Base steps of the diffusion that MAR heads are trained with.
constexpr int32_t kBaseSteps = 1000;

// Fills table[0..steps-1], 1 <= steps <= kBaseSteps; index 0 is the step with the least noise.
void diffusion_table(int32_t steps, gtr_diffusion_step* table) noexcept;

}  // namespace gtr
