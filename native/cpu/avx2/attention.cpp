// Attention with AVX2 and FMA: tiles of 6 rows by 16 columns, 12 of the 16 registers hold sums.
#include "simd/avx2.h"

#include "attention_kernels.h"

namespace gtr::cpu::avx2 {
namespace {

constexpr int kTileRows = 6;
constexpr int kTileVectors = 2;
constexpr bool kAlternate = false;

GTR_SIMD_INLINE Vec broadcast_unit(const float* p) { return {_mm256_broadcast_ss(p)}; }

GTR_SIMD_INLINE void transpose(Vec (&v)[kLanes]) {
  __m256 pairs[8], fours[8];
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = _mm256_unpacklo_ps(v[i].value, v[i + 1].value);
    pairs[i + 1] = _mm256_unpackhi_ps(v[i].value, v[i + 1].value);
  }
  for (int i = 0; i < 8; i += 4) {
    fours[i] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
    fours[i + 1] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0xee);
    fours[i + 2] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
    fours[i + 3] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    v[i].value = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20);
    v[i + 4].value = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31);
  }
}

#include "attention_exponent.inl"

#include "attention_vectors.inl"

#include "attention_head.inl"

}  // namespace

extern const AttentionKernels kAttentionF32 = kernels_with<FloatProducts>();
extern const AttentionKernels kAttentionBf16 = kernels_with<RoundedProducts>();

}  // namespace gtr::cpu::avx2
