// The arithmetic of the tiers that multiply pairs of bfloat16 (see attention_head.inl): a unit is such a pair.

GTR_SIMD_INLINE __m256i round_half(Vec v) { return (__m256i)_mm512_cvtneps_pbh(v.value); }

// Flushes denormals, as the dot product itself does.
struct PairProducts {
  static constexpr int kElements = 2;
  static constexpr int kStepUnits = 1;
  static constexpr const auto& kExponential = kCoarseExponential;

  GTR_SIMD_INLINE static Vec multiply_add(Vec x, Vec w, Vec sum) {
    return {_mm512_dpbf16_ps(sum.value, (__m512bh)x.value, (__m512bh)w.value)};
  }
  GTR_SIMD_INLINE static Vec round(Vec v) { return widen(narrow(v)); }

  GTR_SIMD_INLINE static Vec load_units(const Bfloat16* p, int n) {
    if (n == kLanes) return {_mm512_loadu_ps(p)};
    return {_mm512_castsi512_ps(_mm512_maskz_loadu_epi32(first_lanes(n), p))};
  }
  GTR_SIMD_INLINE static Vec load_units(const float* p, int n) {
    const int low = n < kLanes / 2 ? 2 * n : kLanes;
    const int high = 2 * n - low;
    const __m512bh pairs = _mm512_cvtne2ps_pbh(load(p + low, high).value, load(p, low).value);
    return {(__m512)pairs};
  }

  GTR_SIMD_INLINE static __m512i load_halves(const Bfloat16* p, int n) {
    if (n == kLanes) return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(first_lanes(n), p));
  }
  GTR_SIMD_INLINE static __m512i load_halves(const float* p, int n) {
    return _mm512_cvtepu16_epi32(round_half(load(p, n)));
  }
  template <typename Element>
  GTR_SIMD_INLINE static Vec load_step(const Element* p, const Element* next, int n) {
    __m512i units = load_halves(p, n);
    if (next != nullptr) units = _mm512_or_si512(units, _mm512_slli_epi32(load_halves(next, n), 16));
    return {_mm512_castsi512_ps(units)};
  }

  GTR_SIMD_INLINE static void store_weights(float* row, int64_t i, Vec weights) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(row + i / 2), round_half(weights));
  }
  GTR_SIMD_INLINE static void store_weights(float* row, int64_t i, Vec weights, Vec next) {
    store(row + i / 2, {(__m512)_mm512_cvtne2ps_pbh(next.value, weights.value)});
  }
};
