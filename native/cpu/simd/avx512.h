// The vectors of the AVX-512 tiers (F, BW, DQ, VL): sixteen floats. See scalar.h for what each name means.
#pragma once

// GCC 12 takes the deliberately undefined operands inside these headers for mistakes.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include <cstdint>

#include "bfloat16.h"

// avx512bf16.h includes this under its own name: same primitives, other compiler flags.
#if !defined(GTR_TIER)
#define GTR_TIER avx512
#endif
#define GTR_SIMD_INLINE inline __attribute__((always_inline))

namespace gtr::cpu::GTR_TIER {
namespace {

constexpr int kLanes = 16;

struct Vec {
  __m512 value;
};
struct Mask {
  __mmask16 value;
};

GTR_SIMD_INLINE __mmask16 first_lanes(int n) { return static_cast<__mmask16>((1u << n) - 1u); }

GTR_SIMD_INLINE Vec broadcast(float x) { return {_mm512_set1_ps(x)}; }

GTR_SIMD_INLINE Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
GTR_SIMD_INLINE Vec load(const float* p, int n) { return {_mm512_maskz_loadu_ps(first_lanes(n), p)}; }
GTR_SIMD_INLINE void store(float* p, Vec v) { _mm512_storeu_ps(p, v.value); }
GTR_SIMD_INLINE void store(float* p, Vec v, int n) { _mm512_mask_storeu_ps(p, first_lanes(n), v.value); }

GTR_SIMD_INLINE Vec widen(__m256i halves) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16))};
}
// The same in every tier: the instruction of AVX-512 BF16 is right but for denormals, which it flushes.
GTR_SIMD_INLINE __m256i narrow_by_integers(Vec v) {
  const __m512i bits = _mm512_castps_si512(v.value);
  const __m512i upper = _mm512_srli_epi32(bits, 16);
  const __m512i odd = _mm512_and_si512(upper, _mm512_set1_epi32(1));
  const __m512i rounded =
      _mm512_srli_epi32(_mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd), 16);
  const __mmask16 nan = _mm512_cmp_ps_mask(v.value, v.value, _CMP_UNORD_Q);
  return _mm512_cvtepi32_epi16(_mm512_mask_or_epi32(rounded, nan, upper, _mm512_set1_epi32(0x40)));
}
GTR_SIMD_INLINE __m256i narrow(Vec v) {
#if defined(__AVX512BF16__)
  constexpr int kDenormal = 0x20;
  if (__builtin_expect(_mm512_fpclass_ps_mask(v.value, kDenormal) == 0, 1)) return (__m256i)_mm512_cvtneps_pbh(v.value);
#endif
  return narrow_by_integers(v);
}
GTR_SIMD_INLINE Vec load(const Bfloat16* p) { return widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); }
GTR_SIMD_INLINE Vec load(const Bfloat16* p, int n) { return widen(_mm256_maskz_loadu_epi16(first_lanes(n), p)); }
GTR_SIMD_INLINE void store(Bfloat16* p, Vec v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), narrow(v)); }
GTR_SIMD_INLINE void store(Bfloat16* p, Vec v, int n) { _mm256_mask_storeu_epi16(p, first_lanes(n), narrow(v)); }

GTR_SIMD_INLINE Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.value, b.value)}; }
GTR_SIMD_INLINE Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.value, b.value)}; }
GTR_SIMD_INLINE Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.value, b.value)}; }
GTR_SIMD_INLINE Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.value, b.value)}; }
GTR_SIMD_INLINE Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.value, b.value, c.value)}; }
// GCC would be free to overwrite a factor with the result, and then moves sums about and spills some.
GTR_SIMD_INLINE Vec accumulate(Vec a, Vec b, Vec sum) {
  asm("vfmadd231ps %2, %1, %0" : "+v"(sum.value) : "v"(a.value), "v"(b.value));
  return sum;
}
GTR_SIMD_INLINE Vec sqrt(Vec v) { return {_mm512_sqrt_ps(v.value)}; }
GTR_SIMD_INLINE Vec abs(Vec v) { return {_mm512_andnot_ps(_mm512_set1_ps(-0.0f), v.value)}; }
GTR_SIMD_INLINE Vec copy_sign(Vec magnitude, Vec sign) {
  const __m512 bit = _mm512_set1_ps(-0.0f);
  return {_mm512_or_ps(_mm512_andnot_ps(bit, magnitude.value), _mm512_and_ps(bit, sign.value))};
}
GTR_SIMD_INLINE Vec min(Vec a, Vec b) { return {_mm512_min_ps(a.value, b.value)}; }
GTR_SIMD_INLINE Vec max(Vec a, Vec b) { return {_mm512_max_ps(a.value, b.value)}; }

GTR_SIMD_INLINE Mask less(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.value, b.value, _CMP_LT_OQ)}; }
GTR_SIMD_INLINE Mask is_nan(Vec v) { return {_mm512_cmp_ps_mask(v.value, v.value, _CMP_UNORD_Q)}; }
GTR_SIMD_INLINE Vec select(Mask mask, Vec if_true, Vec if_false) {
  return {_mm512_mask_blend_ps(mask.value, if_false.value, if_true.value)};
}
GTR_SIMD_INLINE Vec keep(Vec v, int n) { return {_mm512_maskz_mov_ps(first_lanes(n), v.value)}; }

GTR_SIMD_INLINE float sum(Vec v) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(v.value), _mm512_extractf32x8_ps(v.value, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
GTR_SIMD_INLINE float maximum(Vec v) {
  const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(v.value), _mm512_extractf32x8_ps(v.value, 1));
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

GTR_SIMD_INLINE Vec round_to_integer(Vec v) {
  return {_mm512_roundscale_ps(v.value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
GTR_SIMD_INLINE Vec scale_by_power(Vec v, Vec n) { return {_mm512_scalef_ps(v.value, n.value)}; }
GTR_SIMD_INLINE Vec product_error(Vec a, Vec b, Vec p) { return {_mm512_fmsub_ps(a.value, b.value, p.value)}; }

// c - a b, rounded once.
GTR_SIMD_INLINE Vec minus_product(Vec a, Vec b, Vec c) { return {_mm512_fnmadd_ps(a.value, b.value, c.value)}; }

GTR_SIMD_INLINE void transpose(Vec (&v)[kLanes]) {
  __m512 a[16], b[16];
  for (int i = 0; i < 16; i += 2) {
    a[i] = _mm512_unpacklo_ps(v[i].value, v[i + 1].value);
    a[i + 1] = _mm512_unpackhi_ps(v[i].value, v[i + 1].value);
  }
  // b[i]: columns i % 4 of each quarter, rows 4 (i / 4) to 4 (i / 4) + 3.
  for (int i = 0; i < 16; i += 4) {
    b[i] = _mm512_shuffle_ps(a[i], a[i + 2], 0x44);
    b[i + 1] = _mm512_shuffle_ps(a[i], a[i + 2], 0xee);
    b[i + 2] = _mm512_shuffle_ps(a[i + 1], a[i + 3], 0x44);
    b[i + 3] = _mm512_shuffle_ps(a[i + 1], a[i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    const __m512 even_low = _mm512_shuffle_f32x4(b[i], b[i + 4], 0x88);
    const __m512 odd_low = _mm512_shuffle_f32x4(b[i], b[i + 4], 0xdd);
    const __m512 even_high = _mm512_shuffle_f32x4(b[i + 8], b[i + 12], 0x88);
    const __m512 odd_high = _mm512_shuffle_f32x4(b[i + 8], b[i + 12], 0xdd);
    v[i].value = _mm512_shuffle_f32x4(even_low, even_high, 0x88);
    v[i + 4].value = _mm512_shuffle_f32x4(odd_low, odd_high, 0x88);
    v[i + 8].value = _mm512_shuffle_f32x4(even_low, even_high, 0xdd);
    v[i + 12].value = _mm512_shuffle_f32x4(odd_low, odd_high, 0xdd);
  }
}

#include "simd/math.inl"

#include "simd/gelu_tables.inl"

#include "simd/bfloat16_math.inl"

}  // namespace
}  // namespace gtr::cpu::GTR_TIER
