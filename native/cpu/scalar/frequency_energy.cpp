// Frequency energy, four rows at once in portable code.
#include "simd/scalar.h"

#include "frequency_energy.h"

namespace gtr::cpu::scalar {
namespace {

typedef float Float __attribute__((vector_size(16), may_alias));  // rows are written as floats

inline Float broadcast(const float* from) { return Float{*from, *from, *from, *from}; }
inline Float multiply_add(Float a, Float b, Float c) { return a * b + c; }
inline Float subtract_product(Float c, Float a, Float b) { return c - a * b; }

struct Sum {
  double value[kLanes];
};

inline void add_magnitude(Sum& sum, Float re, Float im, double weight) {
  for (int64_t i = 0; i < kLanes; ++i) {
    const double a = re[i];
    const double b = im[i];
    sum.value[i] += weight * __builtin_sqrt(a * a + b * b);
  }
}

inline void store(const Sum& sum, float* out) {
  for (int64_t i = 0; i < kLanes; ++i) out[i] = static_cast<float>(sum.value[i]);
}

#include "fft_lanes.inl"
#include "frequency_energy_lanes.inl"

}  // namespace

extern const FrequencyKernel kFrequency = {kLanes, score_group, transform_row};

}  // namespace gtr::cpu::scalar
