// Micro-kernels of `linear` for AVX-512: tiles of up to 12 rows by 32 columns, 24 of the 32 registers hold sums.
#include <immintrin.h>

#include "linear_kernels.h"

namespace gtr::cpu::avx512 {
namespace {

using Vector = __m512;
constexpr int64_t kLanes = 16;
constexpr int64_t kVectors = 2;

[[gnu::always_inline]] inline Vector zero() { return _mm512_setzero_ps(); }
[[gnu::always_inline]] inline Vector load(const float* from) { return _mm512_loadu_ps(from); }
[[gnu::always_inline]] inline void store(float* to, Vector value) { _mm512_storeu_ps(to, value); }
[[gnu::always_inline]] inline Vector broadcast(const float* from) { return _mm512_set1_ps(*from); }
[[gnu::always_inline]] inline Vector multiply_add(Vector a, Vector b, Vector sum) { return _mm512_fmadd_ps(a, b, sum); }

// Vector extensions rather than intrinsics: GCC 12 warns about its own header's shifts.
using Words = uint32_t __attribute__((vector_size(64)));
[[gnu::always_inline]] inline Words words(const float* from) { return reinterpret_cast<Words>(_mm512_loadu_ps(from)); }
[[gnu::always_inline]] inline Vector low_half(const float* pairs) {
  return reinterpret_cast<Vector>(words(pairs) << 16);
}
[[gnu::always_inline]] inline Vector high_half(const float* pairs) {
  return reinterpret_cast<Vector>(words(pairs) & 0xffff0000u);
}

#include "linear_multiply.inl"
#include "linear_pack.inl"
#include "linear_widen.inl"

void pack_f32(const gtr_tensor& x, int64_t first_row, int64_t rows, int64_t first_step, int64_t steps, void* packed) {
  pack_with<PackFloat>(x, first_row, rows, first_step, steps, packed);
}

void pack_bf16(const gtr_tensor& x, int64_t first_row, int64_t rows, int64_t first_step, int64_t steps, void* packed) {
  const auto pack = x.dtype == GTR_BF16 ? pack_with<PackWidened> : pack_with<PackRoundedFloat>;
  pack(x, first_row, rows, first_step, steps, packed);
}

}  // namespace

extern const LinearKernels kLinearF32 = {
    12,
    kColumns,
    1,
    kColumns * 4,
    192,
    132,
    {{multiply<1, 1>, multiply<2, 1>, multiply<3, 1>, multiply<4, 1>, multiply<5, 1>, multiply<6, 1>, multiply<7, 1>,
      multiply<8, 1>, multiply<9, 1>, multiply<10, 1>, multiply<11, 1>, multiply<12, 1>},
     {multiply<1, 2>, multiply<2, 2>, multiply<3, 2>, multiply<4, 2>},
     {multiply<1, 4>, multiply<2, 4>}},
    pack_f32,
    nullptr};

extern const LinearKernels kLinearBf16 = {
    12,
    kColumns,
    1,
    kColumns * 2,
    384,
    132,
    {{multiply_widened<1, 1>, multiply_widened<2, 1>, multiply_widened<3, 1>, multiply_widened<4, 1>,
      multiply_widened<5, 1>, multiply_widened<6, 1>, multiply_widened<7, 1>, multiply_widened<8, 1>,
      multiply_widened<9, 1>, multiply_widened<10, 1>, multiply_widened<11, 1>, multiply_widened<12, 1>},
     {multiply_widened<1, 2>, multiply_widened<2, 2>, multiply_widened<3, 2>, multiply_widened<4, 2>},
     {multiply_widened<1, 4>, multiply_widened<2, 4>}},
    pack_bf16,
    nullptr};

}  // namespace gtr::cpu::avx512
