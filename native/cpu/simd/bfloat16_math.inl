// Activations whose results are rounded to bfloat16, which keeps 8 bits: to 2^-15, relative to the result, before that
// rounding. They stand between a micro-kernel's products and take their pipes, so what counts is how many
// multiplications they need: tables, which go through another pipe, take the place of long polynomials. Included by
// avx512.h inside its namespace, after math.inl.

// A float of this size has its last four bits behind the point: adding it rounds to sixteenths, which the low bits then
// number.
constexpr float kSixteenths = 0x1.8p+19f;

GTR_SIMD_INLINE Vec entry(const float (&table)[16], Vec number) {
  return {_mm512_permutexvar_ps(_mm512_castps_si512(number.value), _mm512_loadu_ps(table))};
}

// 2^x for x = n + r, n a multiple of 1/16 that `number`'s low bits tell, |r| <= 1/32.
GTR_SIMD_INLINE Vec power_of_two(Vec n, Vec r, Vec number) {
  static constexpr float kPowers[16] = {// 2^(i/16)
                                        0x1.000000p+0f, 0x1.0b5586p+0f, 0x1.172b84p+0f, 0x1.2387a6p+0f,
                                        0x1.306fe0p+0f, 0x1.3dea64p+0f, 0x1.4bfdaep+0f, 0x1.5ab07ep+0f,
                                        0x1.6a09e6p+0f, 0x1.7a1148p+0f, 0x1.8ace54p+0f, 0x1.9c4918p+0f,
                                        0x1.ae89fap+0f, 0x1.c199bep+0f, 0x1.d5818ep+0f, 0x1.ea4afap+0f};
  const Vec factor = fma(fma(broadcast(0x1.ebfc6cp-3f), r, broadcast(0x1.62e982p-1f)), r, broadcast(1.0f));
  return scale_by_power(entry(kPowers, number) * factor, n);  // by 2 to the integer below n
}

// max(x, 0) - t Phi(-t) with t = |x|. Phi(-t) is e^(-t^2 / 2) times a factor that varies slowly, here quadratics in
// u = 1 / (1 + 0.7 t) for each sixteenth.
GTR_SIMD_INLINE Vec gelu_for_bfloat16(Vec x) {
  // Of the factor, around i / 16; the first for i = 16, since no u is as small as 1/32.
  static constexpr float kConstant[16] = {0x1.000002p-1f, 0x1.30656cp-6f, 0x1.43a3d0p-5f, 0x1.018e58p-4f,
                                          0x1.6b3b7cp-4f, 0x1.de5486p-4f, 0x1.2cfa2ap-3f, 0x1.6e79fap-3f,
                                          0x1.b30568p-3f, 0x1.f9f4eep-3f, 0x1.2153d0p-2f, 0x1.4644bap-2f,
                                          0x1.6b8b3cp-2f, 0x1.90ee0ep-2f, 0x1.b63c6cp-2f, 0x1.db4d92p-2f};
  static constexpr float kLinear[16] = {0x1.23d104p-1f, 0x1.430ea0p-2f, 0x1.6ad71ep-2f, 0x1.92fd54p-2f,
                                        0x1.b9f176p-2f, 0x1.de0338p-2f, 0x1.fdeaf8p-2f, 0x1.0c719ap-1f,
                                        0x1.174faep-1f, 0x1.1f9892p-1f, 0x1.25750ap-1f, 0x1.292076p-1f,
                                        0x1.2adeb0p-1f, 0x1.2af512p-1f, 0x1.29a618p-1f, 0x1.272eeap-1f};
  static constexpr float kSquare[16] = {-0x1.d02128p-5f, 0x1.3ca3b4p-2f,  0x1.40fb14p-2f,  0x1.3f1528p-2f,
                                        0x1.2e7b02p-2f,  0x1.11aa38p-2f,  0x1.d9210cp-3f,  0x1.868802p-3f,
                                        0x1.32651ap-3f,  0x1.c3569ap-4f,  0x1.2eec52p-4f,  0x1.5597cap-5f,
                                        0x1.c0aa82p-7f,  -0x1.4bdf66p-7f, -0x1.ec0170p-6f, -0x1.7bfd02p-5f};
  const Vec magic = broadcast(kSixteenths);
  const Vec t = min(broadcast(14.5f), abs(x));  // the order of operands lets NaN through
  const Vec u = broadcast(1.0f) / fma(broadcast(0.7f), t, broadcast(1.0f));
  const Vec sixteenth = u + magic;
  const Vec d = u - (sixteenth - magic);
  const Vec factor = fma(fma(entry(kSquare, sixteenth), d, entry(kLinear, sixteenth)), d, entry(kConstant, sixteenth));
  // e^(-t^2 / 2) = 2^(-s^2), s = t / sqrt(2 ln 2).
  const Vec s = t * broadcast(0x1.b2da4ep-1f);
  const Vec number = minus_product(s, s, magic);
  const Vec n = number - magic;
  const Vec r = minus_product(s, s, broadcast(0.0f) - n);
  return max(broadcast(0.0f), x) - t * (factor * power_of_two(n, r, number));
}

GTR_SIMD_INLINE Vec silu_for_bfloat16(Vec x) {
  const Vec magic = broadcast(kSixteenths);
  const Vec power = max(broadcast(-150.0f), min(broadcast(150.0f), x * broadcast(-0x1.715476p+0f)));
  const Vec number = power + magic;
  const Vec n = number - magic;
  return x / (broadcast(1.0f) + power_of_two(n, power - n, number));
}
