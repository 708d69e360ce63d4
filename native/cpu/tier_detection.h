// Which instruction-set tiers this machine can run.
#pragma once

#include <cstddef>

#include "operations.h"

namespace gtr::cpu {

// The library has the tier, the processor its instructions, and the operating system saves its registers.
bool tier_available(Tier tier) noexcept;

// The highest available tier.
Tier best_tier() noexcept;

// "scalar", "avx2", "avx512", "avx512bf16", "amxbf16".
const char* tier_name(Tier tier) noexcept;

// False if no tier has this name.
bool tier_by_name(const char* name, Tier* tier) noexcept;

// The processor's name, such as "AMD EPYC 9654", into size bytes.
void processor_name(char* name, size_t size) noexcept;

}  // namespace gtr::cpu
