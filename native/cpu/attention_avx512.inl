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
