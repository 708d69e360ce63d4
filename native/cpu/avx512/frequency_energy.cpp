// Frequency energy, sixteen rows at once.
#include "simd/avx512.h"

#include "frequency_energy.h"

namespace gtr::cpu::avx512 {
namespace {

using Float = __m512;
using Double = __m512d;
constexpr __mmask8 kAll = 0xff;  // GCC 12 warns about its own header's forms without a mask

inline Float broadcast(const float* from) { return _mm512_set1_ps(*from); }
inline Float multiply_add(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
inline Float subtract_product(Float c, Float a, Float b) { return _mm512_fnmadd_ps(a, b, c); }

struct Sum {
  Double low;
  Double high;
};

// Square roots to 2^-42, sooner than by the processor's own (bench/NOTES.md): an estimate of the reciprocal root to
// 2^-14, and two steps towards the root.
inline Double square_root(Double x) {
  // Sums of squares of floats lie between these limits, but for 0 and infinity, whose product with their reciprocal
  // root would be NaN; the limits' roots are 0 and infinity in float. The order of operands lets NaN through.
  const Double limited =
      _mm512_maskz_max_pd(kAll, _mm512_set1_pd(1e-300), _mm512_maskz_min_pd(kAll, _mm512_set1_pd(1e300), x));
  const Double reciprocal = _mm512_maskz_rsqrt14_pd(kAll, limited);
  const Double half = 0.5 * reciprocal;
  Double root = limited * reciprocal;
  root = _mm512_fmadd_pd(_mm512_fnmadd_pd(root, root, limited), half, root);
  return _mm512_fmadd_pd(_mm512_fnmadd_pd(root, root, limited), half, root);
}

inline Double add_magnitude(Double sum, __m256 re, __m256 im, double weight) {
  const Double a = _mm512_maskz_cvtps_pd(kAll, re);
  const Double b = _mm512_maskz_cvtps_pd(kAll, im);
  return sum + weight * square_root(a * a + b * b);
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
