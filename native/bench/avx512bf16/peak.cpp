// Peak loops of the AVX-512 BF16 tier: f32 is AVX-512's, bf16 is vdpbf16ps, two products a lane.
#include "peak.h"

#include <immintrin.h>

namespace gtr::bench::avx512bf16 {
namespace {

using Vector = __m512;
constexpr int kLanes = 16;
constexpr int kSums = 24;

[[gnu::always_inline]] inline Vector splat(float value) { return _mm512_set1_ps(value); }
[[gnu::always_inline]] inline Vector load(const float* from) { return _mm512_load_ps(from); }
[[gnu::always_inline]] inline Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
[[gnu::always_inline]] inline Vector multiply_add(Vector a, Vector b, Vector sum) {
  return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
}

[[gnu::always_inline]] inline void hide(Vector& a, Vector& b) { asm volatile("" : "+v"(a), "+v"(b)); }

#include "peak_loops.inl"

}  // namespace

extern const PeakLoops kPeakLoops = {avx512::kPeakLoops.f32, avx512::kPeakLoops.f32_flops_per_round, multiply_loop,
                                     4 * kLanes* kSums, read_loop};

}  // namespace gtr::bench::avx512bf16
