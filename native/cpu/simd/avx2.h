// The AVX2 tier's vectors (AVX2, FMA): eight floats. See scalar.h for what each name means.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "bfloat16.h"

#define GTR_TIER avx2
#define GTR_SIMD_INLINE inline __attribute__((always_inline))

namespace gtr::cpu::GTR_TIER {
namespace {

constexpr int kLanes = 8;

struct Vec {
  __m256 value;
};
struct Mask {
  __m256 value;  // all bits of a lane set or none
};

GTR_SIMD_INLINE __m256i first_lanes(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

GTR_SIMD_INLINE Vec broadcast(float x) { return {_mm256_set1_ps(x)}; }

GTR_SIMD_INLINE Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
GTR_SIMD_INLINE Vec load(const float* p, int n) { return {_mm256_maskload_ps(p, first_lanes(n))}; }
GTR_SIMD_INLINE void store(float* p, Vec v) { _mm256_storeu_ps(p, v.value); }
GTR_SIMD_INLINE void store(float* p, Vec v, int n) { _mm256_maskstore_ps(p, first_lanes(n), v.value); }

GTR_SIMD_INLINE Vec widen(__m128i halves) {
  return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16))};
}
GTR_SIMD_INLINE __m128i narrow(Vec v) {
  const __m256i bits = _mm256_castps_si256(v.value);
  const __m256i upper = _mm256_srli_epi32(bits, 16);
  const __m256i odd = _mm256_and_si256(upper, _mm256_set1_epi32(1));
  const __m256i rounded =
      _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd), 16);
  const __m256i quiet = _mm256_or_si256(upper, _mm256_set1_epi32(0x40));
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v.value, v.value, _CMP_UNORD_Q));
  const __m256i words = _mm256_blendv_epi8(rounded, quiet, nan);
  return _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}
GTR_SIMD_INLINE Vec load(const Bfloat16* p) { return widen(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
GTR_SIMD_INLINE Vec load(const Bfloat16* p, int n) {
  uint16_t halves[8] = {};
  for (int i = 0; i < n; ++i) halves[i] = p[i].bits;
  return widen(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves)));
}
GTR_SIMD_INLINE void store(Bfloat16* p, Vec v) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), narrow(v)); }
GTR_SIMD_INLINE void store(Bfloat16* p, Vec v, int n) {
  uint16_t halves[8];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(halves), narrow(v));
  for (int i = 0; i < n; ++i) p[i].bits = halves[i];
}

GTR_SIMD_INLINE Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.value, b.value)}; }
GTR_SIMD_INLINE Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.value, b.value)}; }
GTR_SIMD_INLINE Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.value, b.value)}; }
GTR_SIMD_INLINE Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.value, b.value)}; }
GTR_SIMD_INLINE Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.value, b.value, c.value)}; }
// GCC would be free to overwrite a factor with the result, and then moves sums about and spills some.
GTR_SIMD_INLINE Vec accumulate(Vec a, Vec b, Vec sum) {
  asm("vfmadd231ps %2, %1, %0" : "+x"(sum.value) : "x"(a.value), "x"(b.value));
  return sum;
}
GTR_SIMD_INLINE Vec sqrt(Vec v) { return {_mm256_sqrt_ps(v.value)}; }
GTR_SIMD_INLINE Vec abs(Vec v) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), v.value)}; }
GTR_SIMD_INLINE Vec copy_sign(Vec magnitude, Vec sign) {
  const __m256 bit = _mm256_set1_ps(-0.0f);
  return {_mm256_or_ps(_mm256_andnot_ps(bit, magnitude.value), _mm256_and_ps(bit, sign.value))};
}
GTR_SIMD_INLINE Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.value, b.value)}; }
GTR_SIMD_INLINE Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.value, b.value)}; }

GTR_SIMD_INLINE Mask less(Vec a, Vec b) { return {_mm256_cmp_ps(a.value, b.value, _CMP_LT_OQ)}; }
GTR_SIMD_INLINE Mask is_nan(Vec v) { return {_mm256_cmp_ps(v.value, v.value, _CMP_UNORD_Q)}; }
GTR_SIMD_INLINE Vec select(Mask mask, Vec if_true, Vec if_false) {
  return {_mm256_blendv_ps(if_false.value, if_true.value, mask.value)};
}
GTR_SIMD_INLINE Vec keep(Vec v, int n) { return {_mm256_and_ps(v.value, _mm256_castsi256_ps(first_lanes(n)))}; }

GTR_SIMD_INLINE float sum(Vec v) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v.value), _mm256_extractf128_ps(v.value, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
GTR_SIMD_INLINE float maximum(Vec v) {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(v.value), _mm256_extractf128_ps(v.value, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

GTR_SIMD_INLINE Vec round_to_integer(Vec v) {
  return {_mm256_round_ps(v.value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
GTR_SIMD_INLINE Vec scale_by_power(Vec v, Vec n) {
  // In two factors, since 2^n itself may be no normal float.
  const __m256i bias = _mm256_set1_epi32(127);
  const __m256i whole = _mm256_cvtps_epi32(n.value);
  const __m256i first = _mm256_srai_epi32(whole, 1);
  const __m256i second = _mm256_sub_epi32(whole, first);
  const __m256 a = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(first, bias), 23));
  const __m256 b = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(second, bias), 23));
  return {_mm256_mul_ps(_mm256_mul_ps(v.value, a), b)};
}
GTR_SIMD_INLINE Vec product_error(Vec a, Vec b, Vec p) { return {_mm256_fmsub_ps(a.value, b.value, p.value)}; }

GTR_SIMD_INLINE void transpose(Vec (&v)[kLanes]) {
  __m256 pairs[8], fours[8];
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = _mm256_unpacklo_ps(v[i].value, v[i + 1].value);
    pairs[i + 1] = _mm256_unpackhi_ps(v[i].value, v[i + 1].value);
  }
  for (int i = 0; i < 8; i += 4) {
    fours[i] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
    fours[i + 1] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0xee);
    fours[i + 2] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
    fours[i + 3] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    v[i].value = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20);
    v[i + 4].value = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31);
  }
}

#include "simd/math.inl"

#include "simd/gelu.inl"

GTR_SIMD_INLINE Vec gelu_for_bfloat16(Vec x) { return gelu(x); }
GTR_SIMD_INLINE Vec silu_for_bfloat16(Vec x) { return silu(x); }

}  // namespace
}  // namespace gtr::cpu::GTR_TIER
