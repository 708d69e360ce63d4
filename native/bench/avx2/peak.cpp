// Peak loops of the AVX2 tier.
#include "peak.h"

#include <immintrin.h>

namespace gtr::bench::avx2 {
namespace {

using Vector = __m256;
constexpr int kLanes = 8;
constexpr int kSums = 12;

[[gnu::always_inline]] inline Vector splat(float value) { return _mm256_set1_ps(value); }
[[gnu::always_inline]] inline Vector load(const float* from) { return _mm256_load_ps(from); }
[[gnu::always_inline]] inline Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
[[gnu::always_inline]] inline Vector multiply_add(Vector a, Vector b, Vector sum) { return _mm256_fmadd_ps(a, b, sum); }

[[gnu::always_inline]] inline void hide(Vector& a, Vector& b) { asm volatile("" : "+x"(a), "+x"(b)); }

#include "peak_loops.inl"

}  // namespace

extern const PeakLoops kPeakLoops = {multiply_loop, 2 * kLanes* kSums, multiply_loop, 2 * kLanes* kSums, read_loop};

}  // namespace gtr::bench::avx2
