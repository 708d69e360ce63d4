// The exponent of a weight in the tiers that have no instructions for its parts.

// Coefficients of (2^r - 1) / r for |r| <= 1/2, minimax. Relative error 2e-9: for weights in float.
constexpr float kFineExponential[] = {0x1.62e43p-1f,  0x1.ebfbdcp-3f,  0x1.c6aee8p-5f,
                                      0x1.3b2d4cp-7f, 0x1.5f3e54p-10f, 0x1.41fbbcp-13f};
// Relative error 3e-6: for weights that are rounded to bfloat16, whose precision is 4e-3.
constexpr float kCoarseExponential[] = {0x1.62e12cp-1f, 0x1.ec0378p-3f, 0x1.c9fc46p-5f, 0x1.3a02cep-7f};

// Leaves in x what scale_by_power takes, and returns the rest.
GTR_SIMD_INLINE Vec split_exponent(Vec& x) {
  const Vec limited = max(broadcast(-151.0f), x);
  x = round_to_integer(limited);
  return limited - x;
}
