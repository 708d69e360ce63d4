// GELU on Vec by tables of 32 floats, which AVX-512 keeps in two registers. The epilogue's instructions stand between a
// micro-kernel's products and take their pipes, so what counts is how many there are: 30 here, 55 and a division in
// gelu.inl. Included by avx512.h inside its namespace, after math.inl.

GTR_SIMD_INLINE Vec entry(const float (&table)[32], __m512i number) {
  return {_mm512_permutex2var_ps(_mm512_loadu_ps(table), number, _mm512_loadu_ps(table + 16))};
}

// Phi(-t) e^(t^2 / 2) for 0 <= t <= 15, within 2^-23: polynomials in the distance of 1 + t from the middle of its
// interval, eight intervals between two powers of two.
GTR_SIMD_INLINE Vec scaled_normal_tail(Vec t) {
  // By the last two bits of the exponent and the first three of the fraction of 1 + t.
  static constexpr float kConstant[32] = {
      0x1.f6704ep-3f, 0x1.bdb9f2p-3f, 0x1.8f6846p-3f, 0x1.690b32p-3f, 0x1.48de38p-3f, 0x1.2d938ap-3f, 0x1.1630fap-3f,
      0x1.01f838p-3f, 0x1.d0b31cp-4f, 0x1.99c2b6p-4f, 0x1.6e040ap-4f, 0x1.4a724ap-4f, 0x1.2d01fep-4f, 0x1.1445a6p-4f,
      0x1.fe6e5ep-5f, 0x1.da2caep-5f, 0x1.ac6292p-5f, 0x1.7b5f34p-5f, 0x1.545298p-5f, 0x1.34805ap-5f, 0x1.1a1574p-5f,
      0x1.03cf06p-5f, 0x1.e18ddcp-6f, 0x1.c0a9c4p-6f, 0x1.e76f76p-2f, 0x1.bb9424p-2f, 0x1.95b88ep-2f, 0x1.74d7e8p-2f,
      0x1.58207ep-2f, 0x1.3ee88ep-2f, 0x1.28a5d4p-2f, 0x1.14e6fep-2f};
  static constexpr float kLinear[32] = {
      -0x1.f7946cp-4f, -0x1.9851d2p-4f, -0x1.4ffe52p-4f, -0x1.182740p-4f, -0x1.d8c1aap-5f, -0x1.9328eap-5f,
      -0x1.5b2056p-5f, -0x1.2d7c0cp-5f, -0x1.ef2c4ep-6f, -0x1.85dc3cp-6f, -0x1.3a006ep-6f, -0x1.01c9a8p-6f,
      -0x1.ae3680p-7f, -0x1.6c06a8p-7f, -0x1.37c32ap-7f, -0x1.0dd41ap-7f, -0x1.b9f9e4p-8f, -0x1.5bcafap-8f,
      -0x1.188fc8p-8f, -0x1.cdee82p-9f, -0x1.82bdd4p-9f, -0x1.486da4p-9f, -0x1.1a50f8p-9f, -0x1.ea79a6p-10f,
      -0x1.7a0d54p-2f, -0x1.455886p-2f, -0x1.19baa2p-2f, -0x1.eacbb4p-3f, -0x1.ade414p-3f, -0x1.7a88e0p-3f,
      -0x1.4efb2cp-3f, -0x1.29d788p-3f};
  static constexpr float kSquare[32] = {
      0x1.b65968p-5f,  0x1.4a0336p-5f,  0x1.f9a646p-6f,  0x1.899962p-6f,  0x1.36dd2cp-6f,  0x1.f199bcp-7f,
      0x1.931dd8p-7f,  0x1.4a3852p-7f,  0x1.f2f592p-8f,  0x1.621fecp-8f,  0x1.031b54p-8f,  0x1.852b66p-9f,
      0x1.2ae27cp-9f,  0x1.d419e8p-10f, 0x1.74d5b0p-10f, 0x1.2d6b52p-10f, 0x1.c0f960p-11f, 0x1.3ae7cep-11f,
      0x1.c9eb2ap-12f, 0x1.56ee22p-12f, 0x1.073c52p-12f, 0x1.9ca83ep-13f, 0x1.494a46p-13f, 0x1.0ade60p-13f,
      0x1.cfcea4p-3f,  0x1.7e938cp-3f,  0x1.3dae3cp-3f,  0x1.097b58p-3f,  0x1.be70acp-4f,  0x1.7992fep-4f,
      0x1.411f90p-4f,  0x1.1293eap-4f};
  static constexpr float kCube[32] = {
      -0x1.577a8cp-6f,  -0x1.e4d7a8p-7f,  -0x1.5cd9a6p-7f,  -0x1.ff0434p-8f,  -0x1.7c7b9ap-8f,  -0x1.1f9f3cp-8f,
      -0x1.b8fbdcp-9f,  -0x1.5676c4p-9f,  -0x1.e0ac88p-10f, -0x1.35a9c2p-10f, -0x1.9dfa24p-11f, -0x1.1daf74p-11f,
      -0x1.95658ep-12f, -0x1.26b3cap-12f, -0x1.b5b69cp-13f, -0x1.4b426ap-13f, -0x1.c3770ap-14f, -0x1.1acb4cp-14f,
      -0x1.732db8p-15f, -0x1.fa4df4p-16f, -0x1.64a23cp-16f, -0x1.022f1ep-16f, -0x1.7eb862p-17f, -0x1.218260p-17f,
      -0x1.e53442p-4f,  -0x1.82515cp-4f,  -0x1.35b770p-4f,  -0x1.f3ed8cp-5f,  -0x1.9613fcp-5f,  -0x1.4be4c6p-5f,
      -0x1.10e1fap-5f,  -0x1.c34f14p-6f};
  static constexpr float kFourth[32] = {
      0x1.ebf1c0p-8f,  0x1.47dd78p-8f,  0x1.be149ap-9f,  0x1.3550e0p-9f,  0x1.b4ab16p-10f, 0x1.3960a2p-10f,
      0x1.c8c960p-11f, 0x1.51ba50p-11f, 0x1.b94a28p-12f, 0x1.03dd18p-12f, 0x1.3f32fcp-13f, 0x1.96c40cp-14f,
      0x1.0bad9ap-14f, 0x1.6a77cap-15f, 0x1.f75a6ep-16f, 0x1.656d30p-16f, 0x1.bd5244p-17f, 0x1.f412e0p-18f,
      0x1.290a26p-18f, 0x1.71c612p-19f, 0x1.decde2p-20f, 0x1.409142p-20f, 0x1.b9d4bcp-21f, 0x1.3839a6p-21f,
      0x1.c0df16p-5f,  0x1.5a8da6p-5f,  0x1.0d73b0p-5f,  0x1.a5e198p-6f,  0x1.4c7670p-6f,  0x1.07ae00p-6f,
      0x1.a4da7cp-7f,  0x1.51e016p-7f};
  constexpr int kBitsBelow = 20;
  const Vec from_one = t + broadcast(1.0f);
  const __m512i bits = _mm512_castps_si512(from_one.value);
  const __m512i interval = _mm512_srli_epi32(bits, kBitsBelow);
  constexpr int kAndOr = 0xea;  // a & b | c
  const Vec middle = {_mm512_castsi512_ps(_mm512_ternarylogic_epi32(bits, _mm512_set1_epi32(-(1 << kBitsBelow)),
                                                                    _mm512_set1_epi32(1 << (kBitsBelow - 1)), kAndOr))};
  const Vec distance = from_one - middle;
  Vec result = fma(entry(kFourth, interval), distance, entry(kCube, interval));
  result = fma(result, distance, entry(kSquare, interval));
  result = fma(result, distance, entry(kLinear, interval));
  return fma(result, distance, entry(kConstant, interval));
}

// max(x, 0) - t Phi(-t) with t = |x|: within 12 units in the last place.
GTR_SIMD_INLINE Vec gelu(Vec x) {
  // 2^(i/32)
  static constexpr float kPowers[32] = {
      0x1.000000p+0f, 0x1.059b0ep+0f, 0x1.0b5586p+0f, 0x1.11301ep+0f, 0x1.172b84p+0f, 0x1.1d4874p+0f, 0x1.2387a6p+0f,
      0x1.29e9e0p+0f, 0x1.306fe0p+0f, 0x1.371a74p+0f, 0x1.3dea64p+0f, 0x1.44e086p+0f, 0x1.4bfdaep+0f, 0x1.5342b6p+0f,
      0x1.5ab07ep+0f, 0x1.6247ecp+0f, 0x1.6a09e6p+0f, 0x1.71f75ep+0f, 0x1.7a1148p+0f, 0x1.82589ap+0f, 0x1.8ace54p+0f,
      0x1.93737cp+0f, 0x1.9c4918p+0f, 0x1.a5503cp+0f, 0x1.ae89fap+0f, 0x1.b7f770p+0f, 0x1.c199bep+0f, 0x1.cb720ep+0f,
      0x1.d5818ep+0f, 0x1.dfc974p+0f, 0x1.ea4afap+0f, 0x1.f50766p+0f};
  // A float of this size has its last five bits behind the point.
  const Vec magic = broadcast(0x1.8p+18f);
  const Vec t = min(broadcast(14.5f), abs(x));  // beyond it is 0; the order of operands lets NaN through
  const Vec square = t * t;
  // e^(-t^2 / 2) = 2^n e^(-r / 2), n a multiple of 1/32 that `number`'s low bits tell, |r| <= ln(2) / 32. That 2 ln 2
  // is rounded costs up to 5 units, where the result is as small as 2^-150.
  const Vec number = minus_product(square, broadcast(0x1.715476p-1f), magic);
  const Vec n = number - magic;
  const Vec r = fma(n, broadcast(0x1.62e430p+0f), square) + product_error(t, t, square);
  const Vec power = entry(kPowers, _mm512_castps_si512(number.value));
  const Vec decay = fma(power, r * fma(broadcast(0x1.000024p-3f), r, broadcast(-0x1.0000f6p-1f)), power);
  return max(broadcast(0.0f), x) - scale_by_power(t * (scaled_normal_tail(t) * decay), n);
}
