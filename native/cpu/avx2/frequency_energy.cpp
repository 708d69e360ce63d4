// Frequency energy, eight rows at once.
#include "simd/avx2.h"

#include "frequency_energy.h"

namespace gtr::cpu::avx2 {
namespace {

using Float = __m256;
using Double = __m256d;

inline Float broadcast(const float* from) { return _mm256_set1_ps(*from); }
inline Float multiply_add(Float a, Float b, Float c) { return _mm256_fmadd_ps(a, b, c); }
inline Float subtract_product(Float c, Float a, Float b) { return _mm256_fnmadd_ps(a, b, c); }

struct Sum {
  Double low;
  Double high;
};

inline Double add_magnitude(Double sum, __m128 re, __m128 im, double weight) {
  const Double a = _mm256_cvtps_pd(re);
  const Double b = _mm256_cvtps_pd(im);
  return sum + weight * _mm256_sqrt_pd(a * a + b * b);
}

inline void add_magnitude(Sum& sum, Float re, Float im, double weight) {
  sum.low = add_magnitude(sum.low, _mm256_castps256_ps128(re), _mm256_castps256_ps128(im), weight);
  sum.high = add_magnitude(sum.high, _mm256_extractf128_ps(re, 1), _mm256_extractf128_ps(im, 1), weight);
}

inline void store(const Sum& sum, float* out) {
  _mm_storeu_ps(out, _mm256_cvtpd_ps(sum.low));
  _mm_storeu_ps(out + 4, _mm256_cvtpd_ps(sum.high));
}

#include "fft_lanes.inl"
#include "frequency_energy_lanes.inl"

}  // namespace

extern const FrequencyKernel kFrequency = {kLanes, score_group, transform_row};

}  // namespace gtr::cpu::avx2
