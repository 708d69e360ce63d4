// Philox4x32-10 (Salmon et al., SC 2011) and the normal numbers made from it, in double.
#pragma once

#include <array>
#include <cstdint>

namespace gtr::test::reference {

std::array<uint32_t, 4> philox(uint64_t seed, const std::array<uint32_t, 4>& counter);

// The normal number of one channel, not rounded to float.
double noise(uint64_t seed, uint32_t image, uint32_t cell, uint32_t draw, int64_t channel);

}  // namespace gtr::test::reference
