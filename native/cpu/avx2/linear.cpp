// Micro-kernels of `linear` for AVX2 and FMA: tiles of up to 6 rows by 16 columns, 12 of the 16 registers hold sums; 5
// rows where weights are widened.
#include "linear_kernels.h"
#include "simd/avx2.h"

namespace gtr::cpu::avx2 {
namespace {

constexpr int kVectors = 2;
constexpr int kStepsAtOnce = 4;

GTR_SIMD_INLINE Vec spread(const float* from) { return broadcast(*from); }
GTR_SIMD_INLINE Vec multiply_add(Vec a, Vec b, Vec sum) { return accumulate(a, b, sum); }

using Words = uint32_t __attribute__((vector_size(32)));
GTR_SIMD_INLINE Words words(const float* from) { return reinterpret_cast<Words>(load(from).value); }
GTR_SIMD_INLINE Vec low_half(const float* pairs) { return {reinterpret_cast<__m256>(words(pairs) << 16)}; }
GTR_SIMD_INLINE Vec high_half(const float* pairs) { return {reinterpret_cast<__m256>(words(pairs) & 0xffff0000u)}; }

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
    /*rows=*/6,
    /*columns=*/kColumns,
    /*inputs_per_step=*/1,
    /*steps_at_once=*/1,
    /*step_bytes=*/kColumns * 4,
    /*chunk_bytes=*/384 * 1024,
    /*finish_groups=*/0,
    /*read_in_place=*/GTR_F32,
    {{multiply<1, 1>, multiply<2, 1>, multiply<3, 1>, multiply<4, 1>, multiply<5, 1>, multiply<6, 1>},
     {multiply<1, 2>, multiply<2, 2>, multiply<3, 2>},
     {multiply<1, 4>}},
    {},
    {},
    {},
    pack_f32,
    finish,
    prefetch_residual};

extern const LinearKernels kLinearBf16 = {/*rows=*/5,
                                          /*columns=*/kColumns,
                                          /*inputs_per_step=*/1,
                                          /*steps_at_once=*/1,
                                          /*step_bytes=*/kColumns * 2,
                                          /*chunk_bytes=*/192 * 1024,
                                          /*finish_groups=*/0,
                                          /*read_in_place=*/LinearKernels::kNothing,
                                          {{multiply_widened<1, 1>, multiply_widened<2, 1>, multiply_widened<3, 1>,
                                            multiply_widened<4, 1>, multiply_widened<5, 1>},
                                           {multiply_widened<1, 2>, multiply_widened<2, 2>},
                                           {multiply_widened<1, 4>}},
                                          {},
                                          {},
                                          {},
                                          pack_bf16,
                                          finish,
                                          prefetch_residual};

}  // namespace gtr::cpu::avx2
