// Attention with AVX-512.
#include "simd/avx512.h"

#include "attention_kernels.h"

namespace gtr::cpu::avx512 {
namespace {

#include "attention_avx512.inl"
#include "attention_head.inl"

}  // namespace

extern const AttentionKernels kAttentionF32 = kernels_with<FloatProducts>();
extern const AttentionKernels kAttentionBf16 = kernels_with<RoundedProducts>();

}  // namespace gtr::cpu::avx512
