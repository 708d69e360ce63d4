// Attention with AVX2 and FMA: tiles of 6 rows by 16 columns, 12 of the 16 registers hold sums.
#include "simd/avx2.h"

#include "attention_kernels.h"

namespace gtr::cpu::avx2 {
namespace {

constexpr int kTileRows = 6;
constexpr int kTileVectors = 2;
constexpr bool kAlternate = false;

GTR_SIMD_INLINE Vec broadcast_unit(const float* p) { return {_mm256_broadcast_ss(p)}; }

#include "attention_exponent.inl"

#include "attention_vectors.inl"

#include "attention_head.inl"

}  // namespace

extern const AttentionKernels kAttentionF32 = kernels_with<FloatProducts>();
extern const AttentionKernels kAttentionBf16 = kernels_with<RoundedProducts>();

}  // namespace gtr::cpu::avx2
