// Micro-kernels of `linear` for any processor: GCC's vectors of four floats, which the baseline of every architecture
// has (SSE2, NEON). Tiles of up to 6 rows by 8 columns. Products are rounded before they are added.
#include <cstdint>

#include "linear_kernels.h"

namespace gtr::cpu::scalar {
namespace {

using Vector = float __attribute__((vector_size(16)));
using Words = uint32_t __attribute__((vector_size(16)));
constexpr int64_t kLanes = 4;
constexpr int64_t kVectors = 2;

[[gnu::always_inline]] inline Vector zero() { return Vector{}; }
[[gnu::always_inline]] inline Vector load(const float* from) {
  Vector value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}
[[gnu::always_inline]] inline void store(float* to, Vector value) { __builtin_memcpy(to, &value, sizeof value); }
[[gnu::always_inline]] inline Vector broadcast(const float* from) { return Vector{*from, *from, *from, *from}; }
[[gnu::always_inline]] inline Vector multiply_add(Vector a, Vector b, Vector sum) { return sum + a * b; }
[[gnu::always_inline]] inline Words words(const float* from) { return reinterpret_cast<Words>(load(from)); }
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
    6,
    kColumns,
    1,
    kColumns * 4,
    256,
    126,
    {{multiply<1, 1>, multiply<2, 1>, multiply<3, 1>, multiply<4, 1>, multiply<5, 1>, multiply<6, 1>},
     {multiply<1, 2>, multiply<2, 2>, multiply<3, 2>},
     {multiply<1, 4>}},
    pack_f32,
    nullptr};

extern const LinearKernels kLinearBf16 = {6,
                                          kColumns,
                                          1,
                                          kColumns * 2,
                                          512,
                                          126,
                                          {{multiply_widened<1, 1>, multiply_widened<2, 1>, multiply_widened<3, 1>,
                                            multiply_widened<4, 1>, multiply_widened<5, 1>, multiply_widened<6, 1>},
                                           {multiply_widened<1, 2>, multiply_widened<2, 2>, multiply_widened<3, 2>},
                                           {multiply_widened<1, 4>}},
                                          pack_bf16,
                                          nullptr};

}  // namespace gtr::cpu::scalar
