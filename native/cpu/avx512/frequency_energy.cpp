// Frequency energy, sixteen rows at once.
#include <immintrin.h>

#include "frequency_energy.h"

namespace gtr::cpu::avx512 {
namespace {

using Float = __m512;
using Double = __m512d;
constexpr int64_t kLanes = 16;
constexpr __mmask8 kAll = 0xff;  // GCC 12 warns about its own header's forms without a mask

inline Float broadcast(const float* from) { return _mm512_set1_ps(*from); }
inline Float multiply_add(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
inline Float subtract_product(Float c, Float a, Float b) { return _mm512_fnmadd_ps(a, b, c); }

struct Sum {
  Double low;
  Double high;
};

inline Double add_magnitude(Double sum, __m256 re, __m256 im, double weight) {
  const Double a = _mm512_maskz_cvtps_pd(kAll, re);
  const Double b = _mm512_maskz_cvtps_pd(kAll, im);
  return sum + weight * _mm512_maskz_sqrt_pd(kAll, a * a + b * b);
}

inline void add_magnitude(Sum& sum, Float re, Float im, double weight) {
  sum.low = add_magnitude(sum.low, _mm512_maskz_extractf32x8_ps(kAll, re, 0), _mm512_maskz_extractf32x8_ps(kAll, im, 0),
                          weight);
  sum.high = add_magnitude(sum.high, _mm512_maskz_extractf32x8_ps(kAll, re, 1),
                           _mm512_maskz_extractf32x8_ps(kAll, im, 1), weight);
}

inline void store(const Sum& sum, float* out) {
  _mm256_storeu_ps(out, _mm512_maskz_cvtpd_ps(kAll, sum.low));
  _mm256_storeu_ps(out + 8, _mm512_maskz_cvtpd_ps(kAll, sum.high));
}

#include "fft_lanes.inl"
#include "frequency_energy_lanes.inl"

}  // namespace

extern const FrequencyKernel kFrequency = {kLanes, score_group, transform_row};

}  // namespace gtr::cpu::avx512
