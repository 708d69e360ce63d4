// What attention asks of the AVX-512 tiers' vectors.

GTR_SIMD_INLINE Vec broadcast_unit(const float* p) { return {_mm512_set1_ps(*p)}; }

// Coefficients of (2^r - 1) / r for 0 <= r <= 1, minimax. Relative error 2e-9: for weights in float.
constexpr float kFineExponential[] = {0x1.62e42cp-1f, 0x1.ebfd3ap-3f,  0x1.c68af6p-5f,
                                      0x1.3cfd82p-7f, 0x1.47373ap-10f, 0x1.c4456ep-13f};
// Relative error 3e-6: for weights that are rounded to bfloat16, whose precision is 4e-3.
constexpr float kCoarseExponential[] = {0x1.62d6c6p-1f, 0x1.ee2452p-3f, 0x1.abf868p-5f, 0x1.b7f734p-7f};

// Returns x - floor(x), 0 for an infinite x; scale_by_power itself takes the floor of x, and gives 0 for minus
// infinity.
GTR_SIMD_INLINE Vec split_exponent(const Vec& x) {
  return {_mm512_reduce_ps(x.value, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)};
}

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
