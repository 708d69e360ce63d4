// Micro-kernels of `linear` for AVX-512 BF16 (vdpbf16ps): tiles of up to 12 rows by 32 columns; a step is a pair of
// bfloat16 products. Packed x and weights are pairs of bfloat16 that travel as floats.
#include "linear_kernels.h"
#include "simd/avx512bf16.h"

namespace gtr::cpu::avx512bf16 {
namespace {

constexpr int kVectors = 2;
constexpr int kStepsAtOnce = 4;

GTR_SIMD_INLINE Vec spread(const float* from) { return broadcast(*from); }
GTR_SIMD_INLINE Vec multiply_add(Vec a, Vec b, Vec sum) {
  return {_mm512_dpbf16_ps(sum.value, reinterpret_cast<__m512bh>(a.value), reinterpret_cast<__m512bh>(b.value))};
}

#include "linear_finish.inl"
#include "linear_multiply.inl"
#include "linear_pack.inl"

void pack_bf16(const gtr_tensor& x, int64_t first_row, int64_t rows, void* packed) {
  const auto pack = x.dtype == GTR_BF16 ? pack_with<PackBfloat16> : pack_with<PackRounded>;
  pack(x, first_row, rows, packed);
}

}  // namespace

extern const LinearKernels kLinearBf16 = {
    /*rows=*/12,
    /*columns=*/kColumns,
    /*inputs_per_step=*/2,
    /*steps_at_once=*/1,
    /*step_bytes=*/kColumns * 4,
    /*chunk_bytes=*/576 * 1024,
    /*finish_groups=*/12 + kFinishLead,
    /*read_in_place=*/GTR_BF16,
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
    pack_bf16,
    finish,
    prefetch_residual};

}  // namespace gtr::cpu::avx512bf16
