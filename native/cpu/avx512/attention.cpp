// Attention with AVX-512.
#include "simd/avx512.h"

#include "attention_kernels.h"

namespace gtr::cpu::avx512 {
namespace {

// 24 of the 32 registers hold sums.
constexpr int kTileRows = 6;
constexpr int kTileVectors = 4;
constexpr bool kAlternate = true;

#include "attention_avx512.inl"

#include "attention_vectors.inl"

#include "attention_head.inl"

}  // namespace

extern const AttentionKernels kAttentionF32 = kernels_with<FloatProducts>();
extern const AttentionKernels kAttentionBf16 = kernels_with<RoundedProducts>();

}  // namespace gtr::cpu::avx512
