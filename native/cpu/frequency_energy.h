// What the tiers of the frequency energy share.
#pragma once

#include <cstdint>

#include "fft_plan.h"

namespace gtr::cpu {

// How the spectrum of rows of `dim` real numbers is found: an even row is a complex row of half the length, two
// neighbours in an element; an odd one a complex row without imaginary parts.
struct FrequencyPlan {
  int64_t dim;
  int64_t length;               // of the complex row
  UnitRoots real;               // of order dim, for taking an even row's spectrum out of that of its complex row
  FftPlan fft;                  // of `length`, or with Bluestein's method of the padded length
  const float* chirp;           // Bluestein's exp(-pi i j^2 / length), j < length; null: fft transforms the row itself
  const float* chirp_spectrum;  // of its conjugate, wrapped around the padded length and divided by that
};

// One tier's kernels. A group is up to `lanes` rows. The two buffers, one after the other and aligned
// to GTR_ALIGNMENT, hold fft.length elements each, of `lanes` real and then `lanes` imaginary parts.
struct FrequencyKernel {
  int64_t lanes;
  void (*score)(const FrequencyPlan& plan, const float* z, int64_t z_stride, int64_t rows, float* score,
                int64_t score_stride, void* buffers);
  // Transforms one complex row of fft.length in place.
  void (*transform)(const FftPlan& fft, float* row, void* buffers);
};

namespace scalar {
extern const FrequencyKernel kFrequency;
}
namespace avx2 {
extern const FrequencyKernel kFrequency;
}
namespace avx512 {
extern const FrequencyKernel kFrequency;
}

}  // namespace gtr::cpu
