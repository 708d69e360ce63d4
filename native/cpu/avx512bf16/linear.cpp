// Micro-kernels of `linear` for AVX-512 BF16 (vdpbf16ps): tiles of up to 12 rows by 32 columns; a step is a pair of
// bfloat16 products.
#include <immintrin.h>

#include "linear_kernels.h"

namespace gtr::cpu::avx512bf16 {
namespace {

using Vector = __m512;
constexpr int64_t kLanes = 16;
constexpr int64_t kVectors = 2;

// Packed x and weights are pairs of bfloat16 that travel as floats.
[[gnu::always_inline]] inline Vector zero() { return _mm512_setzero_ps(); }
[[gnu::always_inline]] inline Vector load(const float* from) { return _mm512_loadu_ps(from); }
[[gnu::always_inline]] inline void store(float* to, Vector value) { _mm512_storeu_ps(to, value); }
[[gnu::always_inline]] inline Vector broadcast(const float* from) { return _mm512_set1_ps(*from); }
[[gnu::always_inline]] inline Vector multiply_add(Vector a, Vector b, Vector sum) {
  return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
}

#include "linear_multiply.inl"
#include "linear_pack.inl"

void pack_bf16(const gtr_tensor& x, int64_t first_row, int64_t rows, int64_t first_step, int64_t steps, void* packed) {
  const auto pack = x.dtype == GTR_BF16 ? pack_with<PackPair> : pack_with<PackRoundedPair>;
  pack(x, first_row, rows, first_step, steps, packed);
}

}  // namespace

extern const LinearKernels kLinearBf16 = {
    12,
    kColumns,
    2,
    kColumns * 4,
    192,
    132,
    {{multiply<1, 1>, multiply<2, 1>, multiply<3, 1>, multiply<4, 1>, multiply<5, 1>, multiply<6, 1>, multiply<7, 1>,
      multiply<8, 1>, multiply<9, 1>, multiply<10, 1>, multiply<11, 1>, multiply<12, 1>},
     {multiply<1, 2>, multiply<2, 2>, multiply<3, 2>, multiply<4, 2>},
     {multiply<1, 4>, multiply<2, 4>}},
    pack_bf16,
    nullptr};

}  // namespace gtr::cpu::avx512bf16
