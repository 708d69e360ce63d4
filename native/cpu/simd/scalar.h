// The scalar tier's vectors: four floats in the compiler's own vector type, so that any processor runs them. There is
// no fused multiply-add: fma rounds twice here.
//
// One translation unit includes the header of one tier. Each defines, in namespace gtr::cpu::GTR_TIER and with internal
// linkage, the same set of primitives:
//   Vec, Mask, kLanes
//   broadcast(x); load(p), load(p, n), store(p, v), store(p, v, n) for float and Bfloat16: no alignment is asked for,
//     n < kLanes touches only the first n elements and loads zeros in the other lanes; Bfloat16 rounds to nearest even
//   + - * /, fma(a, b, c) = a b + c, sqrt, abs, copy_sign(magnitude, sign)
//   accumulate(a, b, sum) = fma(a, b, sum), for the sums of micro-kernels, which have a register each
//   min, max: b if either is NaN
//   less, is_nan, select(mask, if_true, if_false); keep(v, n): zero from lane n on
//   sum, maximum over the lanes, in a fixed order
//   transpose(v): kLanes vectors, the rows of a square, become its columns
//   round_to_integer (ties to even, |v| < 2^22), scale_by_power(v, n) = v 2^n for integral n in -152..130
//   product_error(a, b, p) = a b - p exactly, where p = a * b and nothing overflows or underflows
// and the functions of math.inl. Nothing here may have external linkage: the linker keeps one copy of an inline
// function from all files, and it could keep one that a lesser processor cannot run.
#pragma once

#include <cstdint>

#include "bfloat16.h"

#define GTR_TIER scalar
#define GTR_SIMD_INLINE inline __attribute__((always_inline))

namespace gtr::cpu::GTR_TIER {
namespace {

constexpr int kLanes = 4;

typedef float Floats __attribute__((vector_size(16)));
typedef int32_t Ints __attribute__((vector_size(16)));
typedef uint32_t Uints __attribute__((vector_size(16)));
typedef uint16_t Halves __attribute__((vector_size(8)));

struct Vec {
  Floats value;
};
struct Mask {
  Ints value;  // all bits of a lane set or none
};

GTR_SIMD_INLINE Vec broadcast(float x) { return {Floats{x, x, x, x}}; }

GTR_SIMD_INLINE Vec load(const float* p) {
  Vec v;
  __builtin_memcpy(&v.value, p, sizeof v.value);
  return v;
}
GTR_SIMD_INLINE Vec load(const float* p, int n) {
  Floats value = {};
  for (int i = 0; i < n; ++i) value[i] = p[i];
  return {value};
}
GTR_SIMD_INLINE void store(float* p, Vec v) { __builtin_memcpy(p, &v.value, sizeof v.value); }
GTR_SIMD_INLINE void store(float* p, Vec v, int n) {
  for (int i = 0; i < n; ++i) p[i] = v.value[i];
}

GTR_SIMD_INLINE Vec widen(Halves halves) {
  return {reinterpret_cast<Floats>(__builtin_convertvector(halves, Uints) << 16)};
}
GTR_SIMD_INLINE Halves narrow(Vec v) {
  const Uints bits = reinterpret_cast<Uints>(v.value);
  const Uints rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const Uints quiet = (bits >> 16) | 0x40u;
  return __builtin_convertvector(v.value == v.value ? rounded : quiet, Halves);
}
GTR_SIMD_INLINE Vec load(const Bfloat16* p) {
  Halves halves;
  __builtin_memcpy(&halves, p, sizeof halves);
  return widen(halves);
}
GTR_SIMD_INLINE Vec load(const Bfloat16* p, int n) {
  Halves halves = {};
  for (int i = 0; i < n; ++i) halves[i] = p[i].bits;
  return widen(halves);
}
GTR_SIMD_INLINE void store(Bfloat16* p, Vec v) {
  const Halves halves = narrow(v);
  __builtin_memcpy(p, &halves, sizeof halves);
}
GTR_SIMD_INLINE void store(Bfloat16* p, Vec v, int n) {
  const Halves halves = narrow(v);
  for (int i = 0; i < n; ++i) p[i].bits = halves[i];
}

GTR_SIMD_INLINE Vec operator+(Vec a, Vec b) { return {a.value + b.value}; }
GTR_SIMD_INLINE Vec operator-(Vec a, Vec b) { return {a.value - b.value}; }
GTR_SIMD_INLINE Vec operator*(Vec a, Vec b) { return {a.value * b.value}; }
GTR_SIMD_INLINE Vec operator/(Vec a, Vec b) { return {a.value / b.value}; }
GTR_SIMD_INLINE Vec fma(Vec a, Vec b, Vec c) { return {a.value * b.value + c.value}; }
GTR_SIMD_INLINE Vec accumulate(Vec a, Vec b, Vec sum) { return fma(a, b, sum); }
GTR_SIMD_INLINE Vec sqrt(Vec v) {
  for (int i = 0; i < kLanes; ++i) v.value[i] = __builtin_sqrtf(v.value[i]);
  return v;
}
GTR_SIMD_INLINE Vec abs(Vec v) { return {reinterpret_cast<Floats>(reinterpret_cast<Uints>(v.value) & 0x7fffffffu)}; }
GTR_SIMD_INLINE Vec copy_sign(Vec magnitude, Vec sign) {
  return {reinterpret_cast<Floats>((reinterpret_cast<Uints>(magnitude.value) & 0x7fffffffu) |
                                   (reinterpret_cast<Uints>(sign.value) & 0x80000000u))};
}
GTR_SIMD_INLINE Vec min(Vec a, Vec b) { return {a.value < b.value ? a.value : b.value}; }
GTR_SIMD_INLINE Vec max(Vec a, Vec b) { return {a.value > b.value ? a.value : b.value}; }

GTR_SIMD_INLINE Mask less(Vec a, Vec b) { return {a.value < b.value}; }
GTR_SIMD_INLINE Mask is_nan(Vec v) { return {v.value != v.value}; }
GTR_SIMD_INLINE Vec select(Mask mask, Vec if_true, Vec if_false) {
  return {mask.value ? if_true.value : if_false.value};
}
GTR_SIMD_INLINE Vec keep(Vec v, int n) {
  return {reinterpret_cast<Floats>(reinterpret_cast<Ints>(v.value) & (Ints{0, 1, 2, 3} < n))};
}

GTR_SIMD_INLINE float sum(Vec v) { return (v.value[0] + v.value[2]) + (v.value[1] + v.value[3]); }
GTR_SIMD_INLINE float maximum(Vec v) {
  const float a = v.value[0] > v.value[2] ? v.value[0] : v.value[2];
  const float b = v.value[1] > v.value[3] ? v.value[1] : v.value[3];
  return a > b ? a : b;
}

GTR_SIMD_INLINE Vec round_to_integer(Vec v) {
  // Adding 1.5 2^23 leaves no fraction bits.
  const Vec magic = broadcast(12582912.0f);
  return (v + magic) - magic;
}
GTR_SIMD_INLINE Vec scale_by_power(Vec v, Vec n) {
  // In two factors, since 2^n itself may be no normal float.
  const Ints whole = __builtin_convertvector(n.value, Ints);
  const Ints first = whole >> 1;
  const Ints second = whole - first;
  return {v.value * reinterpret_cast<Floats>((first + 127) << 23) * reinterpret_cast<Floats>((second + 127) << 23)};
}
GTR_SIMD_INLINE Vec product_error(Vec a, Vec b, Vec p) {
  // Dekker's product: halves of 12 bits, whose products are exact.
  const Vec a_high = {reinterpret_cast<Floats>(reinterpret_cast<Uints>(a.value) & 0xfffff000u)};
  const Vec b_high = {reinterpret_cast<Floats>(reinterpret_cast<Uints>(b.value) & 0xfffff000u)};
  const Vec a_low = a - a_high;
  const Vec b_low = b - b_high;
  return (((a_high * b_high - p) + a_high * b_low) + a_low * b_high) + a_low * b_low;
}

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

#include "simd/math.inl"

#include "simd/gelu.inl"

GTR_SIMD_INLINE Vec gelu_for_bfloat16(Vec x) { return gelu(x); }
GTR_SIMD_INLINE Vec silu_for_bfloat16(Vec x) { return silu(x); }

}  // namespace
}  // namespace gtr::cpu::GTR_TIER
