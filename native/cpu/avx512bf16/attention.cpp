// Attention with AVX-512 BF16: a unit is a pair of bfloat16.
#include "simd/avx512bf16.h"

#include "attention_kernels.h"

namespace gtr::cpu::avx512bf16 {
namespace {

// 24 of the 32 registers hold sums.
constexpr int kTileRows = 6;
constexpr int kTileVectors = 4;
constexpr bool kAlternate = true;

#include "attention_avx512.inl"
#include "attention_pairs.inl"

#include "attention_vectors.inl"

#include "attention_head.inl"

}  // namespace

extern const AttentionKernels kAttentionBf16 = kernels_with<PairProducts>();

}  // namespace gtr::cpu::avx512bf16
