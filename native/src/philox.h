// Philox4x32-10, the counter-based random number generator behind every draw and every decode order.
#pragma once

#include <cstdint>

namespace gtr {

// The four words of one block: key = (seed low 32 bits, seed high 32 bits).
void philox4x32_10(uint64_t seed, const uint32_t counter[4], uint32_t words[4]) noexcept;

}  // namespace gtr
