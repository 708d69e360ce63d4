// GELU on Vec for tiers without large tables in registers: by erf. Included by a tier's header inside its namespace,
// after math.inl. Within 12 units in the last place, as gelu_tables.inl.

// x Phi(x) = x/2 (1 + erf(x / sqrt 2)), without the cancellation for large negative x; 0 at -infinity.
GTR_SIMD_INLINE Vec gelu(Vec x) {
  const Vec half = broadcast(0.5f) * x;
  const Vec root_half = broadcast(0x1.6a09e6p-1f);
  const Vec y = x * root_half;
  const Vec t = abs(y);
  const Vec small = fma(half, fma(y, erf_small(y * y), y), half);
  // x/2 erfc(|x| / sqrt 2) is the result for a negative x, and what is missing from x for a positive one. erfc is
  // e^(-x^2 / 2) times a slowly varying factor: the exponent comes from x itself. Beyond 14.5 it is 0.
  const Vec limited = min(broadcast(14.5f), abs(x));
  const Vec square = limited * limited;
  const Vec tail = broadcast(0.5f) * limited *
                   erfc_large(min(broadcast(10.3f), t), broadcast(0.5f) * square,
                              broadcast(0.5f) * product_error(limited, limited, square));
  const Vec large = select(less(x, broadcast(0.0f)), broadcast(0.0f) - tail, x - tail);
  return select(less(t, broadcast(1.0f)), small, select(is_nan(x), x, large));
}
