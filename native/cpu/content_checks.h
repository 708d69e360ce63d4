// Checks of values inside arrays, which native/src cannot read on every backend. Each is false after it has called
// fail() with the operation and argument.
#pragma once

#include <cstdint>

#include "gtr/gtr.h"

namespace gtr::cpu {

// Every element of an i32 vector lies in lowest..highest; meaning: what sets the limits, "" if gtr.h does. A vector
// with stride 0 has one element to look at.
bool check_values(const char* operation, const char* argument, const gtr_tensor& values, int64_t lowest,
                  int64_t highest, const char* meaning) noexcept;

// Places of a chain's rows: in 0..places-1 and distinct; the scales of guided rows and the temperatures of all are
// finite and not negative. scratch: room for one i32 per row.
bool check_chain_values(const char* operation, const gtr_chain& chain, int64_t places, void* scratch) noexcept;

// Number of rows of all groups, and the bytes of scratch that check_chain_values needs.
int64_t chain_rows(const gtr_chain& chain) noexcept;
int64_t chain_check_scratch_size(const gtr_chain& chain) noexcept;

}  // namespace gtr::cpu
