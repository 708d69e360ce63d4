// Micro-kernels of `linear` for any processor: the compiler's vectors of four floats, which the baseline of every
// architecture has (SSE2, NEON). Products are rounded before they are added.
#include "linear_kernels.h"
#include "simd/scalar.h"

namespace gtr::cpu::scalar {
namespace {

constexpr int kVectors = 3;
constexpr int kStepsAtOnce = 4;

GTR_SIMD_INLINE Vec spread(const float* from) { return broadcast(*from); }
GTR_SIMD_INLINE Vec multiply_add(Vec a, Vec b, Vec sum) { return fma(a, b, sum); }

GTR_SIMD_INLINE Uints words(const float* from) { return reinterpret_cast<Uints>(load(from).value); }
GTR_SIMD_INLINE Vec low_half(const float* pairs) { return {reinterpret_cast<Floats>(words(pairs) << 16)}; }
GTR_SIMD_INLINE Vec high_half(const float* pairs) { return {reinterpret_cast<Floats>(words(pairs) & 0xffff0000u)}; }

#include "linear_finish.inl"
#include "linear_multiply.inl"
#include "linear_pack.inl"
#include "linear_widen.inl"

void pack_f32(const gtr_tensor& x, int64_t first_row, int64_t rows, void* packed) {
  pack_with<PackFloat>(x, first_row, rows, packed);
}

void pack_bf16(const gtr_tensor& x, int64_t first_row, int64_t rows, void* packed) {
  const auto pack = x.dtype == GTR_BF16 ? pack_with<PackWidened> : pack_with<PackRoundedFloat>;
  pack(x, first_row, rows, packed);
}

}  // namespace

extern const LinearKernels kLinearF32 = {
    /*rows=*/3,
    /*columns=*/kColumns,
    /*inputs_per_step=*/1,
    /*steps_at_once=*/1,
    /*step_bytes=*/kColumns * 4,
    /*chunk_bytes=*/192 * 1024,
    /*finish_groups=*/0,
    /*read_in_place=*/LinearKernels::kNothing,
    {{multiply_packed<1, 1>, multiply_packed<2, 1>, multiply_packed<3, 1>},
     {multiply_packed<1, 2>},
     {multiply_packed<1, 4>}},
    {},
    {},
    {},
    pack_f32,
    finish,
    prefetch_residual};

extern const LinearKernels kLinearBf16 = {/*rows=*/3,
                                          /*columns=*/kColumns,
                                          /*inputs_per_step=*/1,
                                          /*steps_at_once=*/1,
                                          /*step_bytes=*/kColumns * 2,
                                          /*chunk_bytes=*/192 * 1024,
                                          /*finish_groups=*/0,
                                          /*read_in_place=*/LinearKernels::kNothing,
                                          {{multiply_widened<1, 1>, multiply_widened<2, 1>, multiply_widened<3, 1>},
                                           {multiply_widened<1, 2>},
                                           {multiply_widened<1, 4>}},
                                          {},
                                          {},
                                          {},
                                          pack_bf16,
                                          finish,
                                          prefetch_residual};

}  // namespace gtr::cpu::scalar
