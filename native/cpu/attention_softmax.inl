// The online softmax of one row over one block of keys.

// 2^x for x <= 0, NaN passed on; 0 from x = -150 on. kCoefficients of (2^r - 1) / r for |r| <= 1/2, minimax.
template <int kTerms>
GTR_SIMD_INLINE Vec power_of_two(Vec x, const float (&coefficients)[kTerms]) {
  x = max(broadcast(-151.0f), x);
  const Vec n = round_to_integer(x);
  const Vec r = x - n;
  return scale_by_power(fma(polynomial(r, coefficients), r, broadcast(1.0f)), n);
}

// Relative error 2e-9: for weights in float.
constexpr float kFineExponential[] = {0x1.62e43p-1f,  0x1.ebfbdcp-3f,  0x1.c6aee8p-5f,
                                      0x1.3b2d4cp-7f, 0x1.5f3e54p-10f, 0x1.41fbbcp-13f};
// Relative error 3e-6: for weights that are rounded to bfloat16, whose precision is 4e-3.
constexpr float kCoarseExponential[] = {0x1.62e12cp-1f, 0x1.ec0378p-3f, 0x1.c9fc46p-5f, 0x1.3a02cep-7f};

constexpr float kMinusInfinity = -__builtin_inff();

// Makes scores of hidden keys, and of the columns from keys on that fill up the last vector, minus infinity.
GTR_SIMD_INLINE void hide(float* scores, int64_t keys, const uint8_t* visible) {
  if (visible != nullptr) {
    for (int64_t j = 0; j < keys; ++j) scores[j] = visible[j] != 0 ? scores[j] : kMinusInfinity;
  }
  for (int64_t j = keys; j < round_up(keys, kLanes); ++j) scores[j] = kMinusInfinity;
}

GTR_SIMD_INLINE float highest_score(const float* scores, int64_t vectors) {
  constexpr int kWays = 4;
  Vec highest[kWays];
  for (Vec& h : highest) h = broadcast(kMinusInfinity);
  int64_t vector = 0;
  for (; vector + kWays <= vectors; vector += kWays) {
#pragma GCC unroll 4
    for (int way = 0; way < kWays; ++way) highest[way] = max(load(scores + (vector + way) * kLanes), highest[way]);
  }
  for (; vector < vectors; ++vector) highest[0] = max(load(scores + vector * kLanes), highest[0]);
  return maximum(max(max(highest[0], highest[1]), max(highest[2], highest[3])));
}

struct SoftmaxState {
  float highest;  // score so far, minus infinity if there is none yet
  float sum;      // of the weights so far, relative to `highest`
};

// Turns scores, the highest of which is `here`, into weights, in place, as Arithmetic stores them. Returns by what the
// sums so far must be multiplied.
template <typename Arithmetic>
GTR_SIMD_INLINE float softmax_block(const AttentionCall& call, float* scores, int64_t vectors, float here,
                                    SoftmaxState& state) {
  const float highest = here > state.highest ? here : state.highest;
  // Where nothing can be attended to yet, all weights are 2^-infinity = 0.
  const float base = highest == kMinusInfinity ? 0.0f : highest;
  const Vec factor = broadcast(call.factor);
  const Vec offset = broadcast(base);
  Vec total = broadcast(0.0f);
  for (int64_t vector = 0; vector < vectors; ++vector) {
    Vec exponent = (load(scores + vector * kLanes) - offset) * factor;
    const Vec weight = power_of_two(exponent, Arithmetic::kExponential);
    total = total + weight;
    Arithmetic::store_weights(scores, vector * kLanes, weight);
  }
  float rescale[kLanes];
  store(rescale, power_of_two((broadcast(state.highest) - offset) * factor, Arithmetic::kExponential));
  state.sum = state.sum * rescale[0] + sum(total);
  state.highest = highest;
  return rescale[0];
}
