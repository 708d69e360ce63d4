// Micro-kernels of `linear` for AVX-512: tiles of up to 12 rows by 32 columns, 24 of the 32 registers hold sums.
#include "linear_kernels.h"
#include "simd/avx512.h"

namespace gtr::cpu::avx512 {
namespace {

constexpr int kVectors = 2;
constexpr int kStepsAtOnce = 2;  // bench/NOTES.md: with 4 GCC moves sums between registers

GTR_SIMD_INLINE Vec spread(const float* from) { return broadcast(*from); }
GTR_SIMD_INLINE Vec multiply_add(Vec a, Vec b, Vec sum) { return accumulate(a, b, sum); }

// Vector extensions rather than intrinsics, whose shifts GCC 12 warns about.
using Words = uint32_t __attribute__((vector_size(64)));
GTR_SIMD_INLINE Words words(const float* from) { return reinterpret_cast<Words>(load(from).value); }
GTR_SIMD_INLINE Vec low_half(const float* pairs) { return {reinterpret_cast<__m512>(words(pairs) << 16)}; }
GTR_SIMD_INLINE Vec high_half(const float* pairs) { return {reinterpret_cast<__m512>(words(pairs) & 0xffff0000u)}; }

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
    /*rows=*/12,
    /*columns=*/kColumns,
    /*inputs_per_step=*/1,
    /*steps_at_once=*/1,
    /*step_bytes=*/kColumns * 4,
    /*chunk_bytes=*/576 * 1024,
    /*finish_groups=*/12 + kFinishLead,
    /*read_in_place=*/GTR_F32,
    {{multiply<1, 1>, multiply<2, 1>, multiply<3, 1>, multiply<4, 1>, multiply<5, 1>, multiply<6, 1>, multiply<7, 1>,
      multiply<8, 1>, multiply<9, 1>, multiply<10, 1>, multiply<11, 1>, multiply<12, 1>},
     {multiply<1, 2>, multiply<2, 2>, multiply<3, 2>, multiply<4, 2>},
     {multiply<1, 4>, multiply<2, 4>}},
    {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, multiply_and_finish<8>, multiply_and_finish<9>,
     multiply_and_finish<10>, multiply_and_finish<11>, multiply_and_finish<12>},
    {stream<1>, stream<2>, stream<3>, stream<4>, stream<5>, stream<6>, stream<7>, stream<8>, stream<9>, stream<10>,
     stream<11>, stream<12>},
    {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, stream_and_finish<8>, stream_and_finish<9>,
     stream_and_finish<10>, stream_and_finish<11>, stream_and_finish<12>},
    pack_f32,
    finish,
    prefetch_residual};

extern const LinearKernels kLinearBf16 = {
    /*rows=*/12,
    /*columns=*/kColumns,
    /*inputs_per_step=*/1,
    /*steps_at_once=*/1,
    /*step_bytes=*/kColumns * 2,
    /*chunk_bytes=*/576 * 1024,
    /*finish_groups=*/12 + kFinishLead,
    /*read_in_place=*/LinearKernels::kNothing,
    {{multiply_widened<1, 1>, multiply_widened<2, 1>, multiply_widened<3, 1>, multiply_widened<4, 1>,
      multiply_widened<5, 1>, multiply_widened<6, 1>, multiply_widened<7, 1>, multiply_widened<8, 1>,
      multiply_widened<9, 1>, multiply_widened<10, 1>, multiply_widened<11, 1>, multiply_widened<12, 1>},
     {multiply_widened<1, 2>, multiply_widened<2, 2>, multiply_widened<3, 2>, multiply_widened<4, 2>},
     {multiply_widened<1, 4>, multiply_widened<2, 4>}},
    {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, multiply_widened_and_finish<8>,
     multiply_widened_and_finish<9>, multiply_widened_and_finish<10>, multiply_widened_and_finish<11>,
     multiply_widened_and_finish<12>},
    {stream_widened<1>, stream_widened<2>, stream_widened<3>, stream_widened<4>, stream_widened<5>, stream_widened<6>,
     stream_widened<7>, stream_widened<8>, stream_widened<9>, stream_widened<10>, stream_widened<11>,
     stream_widened<12>},
    {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, stream_widened_and_finish<8>,
     stream_widened_and_finish<9>, stream_widened_and_finish<10>, stream_widened_and_finish<11>,
     stream_widened_and_finish<12>},
    pack_bf16,
    finish,
    prefetch_residual};

}  // namespace gtr::cpu::avx512
