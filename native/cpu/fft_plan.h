// How complex Fourier transforms of one length are taken: mixed radices, or Bluestein's convolution where the length
// has a large prime factor. A plan lives in scratch, so that a call allocates nothing.
#pragma once

#include <cstdint>

namespace gtr::cpu {

// The largest prime that gets a butterfly of its own, which costs radix^2.
constexpr int64_t kLargestRadix = 61;

// exp(-2 pi i k / count) for k = 0..count-1, real and imaginary part after each other.
struct UnitRoots {
  const float* values;
  int64_t count;
};

struct FftPlan {
  int64_t length;
  UnitRoots roots;  // count is a multiple of length
  int32_t factor_count;
  int32_t factors[24];  // radices, in order of application; 2^24 is longer than any plan
};

// True if all prime factors of length are at most kLargestRadix.
bool fft_has_radices(int64_t length) noexcept;

// The smallest product of 2, 3 and 5 that is at least length.
int64_t fft_smooth_length(int64_t length) noexcept;

// Fills values, of 2 count floats; computed in double and rounded once.
UnitRoots fft_unit_roots(int64_t count, float* values) noexcept;

// A plan for a length with radices.
FftPlan fft_plan(int64_t length, const UnitRoots& roots) noexcept;

}  // namespace gtr::cpu
