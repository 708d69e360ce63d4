// What the layout of data must know of this machine's caches.
#pragma once

#include <cstdint>

namespace gtr::cpu {

// Lines that are a multiple of 4 KiB apart share a set of the first-level data cache (32 KiB in 8 ways, 48 KiB in 12):
// as many of them as this fit in at once.
constexpr int64_t kFirstLevelAlias = 4096;
int64_t first_level_ways() noexcept;

}  // namespace gtr::cpu
