// Elementary functions on Vec, shared by the tiers. Included by each tier's header inside its namespace, after the
// primitives; never by anything else.
//
// exp and erf are within 2 units in the last place over the whole range of float, denormal results included, and honour
// infinities and NaN. One lane's result depends on that lane alone, so whole and partial vectors agree.

// c[0] + x (c[1] + x (c[2] + ...)).
template <int kTerms>
GTR_SIMD_INLINE Vec polynomial(Vec x, const float (&c)[kTerms]) {
  Vec result = broadcast(c[kTerms - 1]);
  for (int i = kTerms - 2; i >= 0; --i) result = fma(result, x, broadcast(c[i]));
  return result;
}

// e^x = 2^n e^r with n = round(x / ln 2) and |r| <= ln(2)/2. ln 2 is split so that n times its first part is exact.
GTR_SIMD_INLINE Vec exp(Vec x) {
  // (e^r - 1 - r) / r^2, minimax.
  constexpr float kTail[] = {0x1.fffffcp-2f, 0x1.555492p-3f, 0x1.5558f2p-5f, 0x1.123a2p-7f, 0x1.6a23dp-10f};
  // Beyond these limits the result is 0 or infinity anyway; the order of operands lets NaN through.
  x = max(broadcast(-105.0f), min(broadcast(90.0f), x));
  const Vec n = round_to_integer(x * broadcast(0x1.715476p+0f));
  Vec r = fma(n, broadcast(-0x1.62e4p-1f), x);
  r = fma(n, broadcast(-0x1.7f7d1cp-20f), r);
  return scale_by_power(fma(polynomial(r, kTail), r * r, r) + broadcast(1.0f), n);
}

// erf(x) / x - 1 as a function of x^2 <= 1.
GTR_SIMD_INLINE Vec erf_small(Vec square) {
  constexpr float kSmall[] = {0x1.06eba8p-3f, -0x1.81273cp-2f,  0x1.ce2cc2p-4f, -0x1.b7f526p-6f,
                              0x1.53e514p-8f, -0x1.a2fdaep-11f, 0x1.46a3c6p-14f};
  return polynomial(square, kSmall);
}

// erfc(t) for t >= 1 given t^2 = square + square_low: e^(-t^2) times a polynomial in 1 / (1 + t/2), which fits
// e^(t^2) erfc(t) up to t = 10.6; there erfc underflows to 0.
GTR_SIMD_INLINE Vec erfc_large(Vec t, Vec square, Vec square_low) {
  constexpr float kScaled[] = {-0x1.cf3a48p-19f, 0x1.20f5p-2f,   0x1.1fe124p-2f,  0x1.024764p-2f, 0x1.48742ap-3f,
                               0x1.9cee9ap-4f,   0x1.f11d2ep-6f, -0x1.81e6ecp-3f, 0x1.4f148ap-4f};
  const Vec e = exp(broadcast(0.0f) - square);
  const Vec u = broadcast(1.0f) / fma(broadcast(0.5f), t, broadcast(1.0f));
  return polynomial(u, kScaled) * fma(broadcast(0.0f) - square_low, e, e);
}

GTR_SIMD_INLINE Vec erf(Vec x) {
  const Vec square = x * x;
  const Vec small = fma(x, erf_small(square), x);
  // erf(4) rounds to 1.
  const Vec t = min(broadcast(4.0f), abs(x));
  const Vec t_square = t * t;
  const Vec large = broadcast(1.0f) - erfc_large(t, t_square, product_error(t, t, t_square));
  const Vec result = select(less(abs(x), broadcast(1.0f)), small, copy_sign(large, x));
  return select(is_nan(x), x, result);
}

GTR_SIMD_INLINE Vec sigmoid(Vec x) { return broadcast(1.0f) / (broadcast(1.0f) + exp(broadcast(0.0f) - x)); }

GTR_SIMD_INLINE Vec silu(Vec x) { return x / (broadcast(1.0f) + exp(broadcast(0.0f) - x)); }
