// Attention in the compiler's own vectors: tiles of 2 rows by 16 columns. A broadcast is a shuffle here, so few rows.
#include "simd/scalar.h"

#include "attention_kernels.h"

namespace gtr::cpu::scalar {
namespace {

constexpr int kTileRows = 2;
constexpr int kTileVectors = 4;
constexpr bool kAlternate = false;

GTR_SIMD_INLINE Vec broadcast_unit(const float* p) { return broadcast(*p); }

GTR_SIMD_INLINE void transpose(Vec (&v)[kLanes]) {
  const Floats a = __builtin_shufflevector(v[0].value, v[1].value, 0, 4, 1, 5);
  const Floats b = __builtin_shufflevector(v[2].value, v[3].value, 0, 4, 1, 5);
  const Floats c = __builtin_shufflevector(v[0].value, v[1].value, 2, 6, 3, 7);
  const Floats d = __builtin_shufflevector(v[2].value, v[3].value, 2, 6, 3, 7);
  v[0].value = __builtin_shufflevector(a, b, 0, 1, 4, 5);
  v[1].value = __builtin_shufflevector(a, b, 2, 3, 6, 7);
  v[2].value = __builtin_shufflevector(c, d, 0, 1, 4, 5);
  v[3].value = __builtin_shufflevector(c, d, 2, 3, 6, 7);
}

#include "attention_exponent.inl"

#include "attention_vectors.inl"

#include "attention_head.inl"

}  // namespace

extern const AttentionKernels kAttentionF32 = kernels_with<FloatProducts>();
extern const AttentionKernels kAttentionBf16 = kernels_with<RoundedProducts>();

}  // namespace gtr::cpu::scalar
