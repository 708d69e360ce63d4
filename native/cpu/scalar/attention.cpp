// Attention in the compiler's own vectors: tiles of 2 rows by 16 columns. A broadcast is a shuffle here, so few rows.
#include "simd/scalar.h"

#include "attention_kernels.h"

namespace gtr::cpu::scalar {
namespace {

constexpr int kTileRows = 2;
constexpr int kTileVectors = 4;
constexpr bool kAlternate = false;

GTR_SIMD_INLINE Vec broadcast_unit(const float* p) { return broadcast(*p); }

#include "attention_exponent.inl"

#include "attention_vectors.inl"

#include "attention_head.inl"

}  // namespace

extern const AttentionKernels kAttentionF32 = kernels_with<FloatProducts>();
extern const AttentionKernels kAttentionBf16 = kernels_with<RoundedProducts>();

}  // namespace gtr::cpu::scalar
