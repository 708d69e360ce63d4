// Noise of one token, shared by the noise operation and the reverse chains.
#pragma once

#include <cstdint>

namespace gtr::cpu {

// y[0..channels-1] = standard normal numbers of one draw of one cell of one image.
void noise_row(uint64_t seed, uint32_t image, uint32_t cell, uint32_t draw, int64_t channels, float* y) noexcept;

}  // namespace gtr::cpu
