// The online softmax of one row over one block of keys.

// 2^x for x <= 0, NaN passed on; 0 at the latest from x = -150 on. Several vectors at once, step by step: one alone is
// a chain of dependent operations.
template <int kCount, int kTerms>
GTR_SIMD_INLINE void powers_of_two(Vec (&x)[kCount], const float (&coefficients)[kTerms]) {
  Vec fraction[kCount], power[kCount];
#pragma GCC unroll 4
  for (int i = 0; i < kCount; ++i) {
    fraction[i] = split_exponent(x[i]);
    power[i] = broadcast(coefficients[kTerms - 1]);
  }
#pragma GCC unroll 8
  for (int term = kTerms - 2; term >= 0; --term) {
#pragma GCC unroll 4
    for (int i = 0; i < kCount; ++i) power[i] = fma(power[i], fraction[i], broadcast(coefficients[term]));
  }
#pragma GCC unroll 4
  for (int i = 0; i < kCount; ++i) x[i] = scale_by_power(fma(power[i], fraction[i], broadcast(1.0f)), x[i]);
}

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
  // As many as 16 or 32 registers hold with their coefficients.
  constexpr int kWays = kLanes == 16 ? 4 : 2;
  Vec totals[kWays];
  for (Vec& total : totals) total = broadcast(0.0f);
  int64_t vector = 0;
  for (; vector + kWays <= vectors; vector += kWays) {
    Vec weights[kWays];
#pragma GCC unroll 4
    for (int way = 0; way < kWays; ++way) {
      weights[way] = (load(scores + (vector + way) * kLanes) - offset) * factor;
    }
    powers_of_two(weights, Arithmetic::kExponential);
#pragma GCC unroll 4
    for (int way = 0; way < kWays; ++way) {
      totals[way] = totals[way] + weights[way];
    }
#pragma GCC unroll 4
    for (int way = 0; way < kWays; way += 2) {
      Arithmetic::store_weights(scores, (vector + way) * kLanes, weights[way], weights[way + 1]);
    }
  }
  for (; vector < vectors; ++vector) {
    Vec weight[1] = {(load(scores + vector * kLanes) - offset) * factor};
    powers_of_two(weight, Arithmetic::kExponential);
    totals[0] = totals[0] + weight[0];
    Arithmetic::store_weights(scores, vector * kLanes, weight[0]);
  }
  for (int way = 1; way < kWays; ++way) totals[0] = totals[0] + totals[way];
  float rescale[kLanes] = {};
  if (state.highest != kMinusInfinity) {
    Vec power[1] = {(broadcast(state.highest) - offset) * factor};
    powers_of_two(power, Arithmetic::kExponential);
    store(rescale, power[0]);
  }
  state.sum = state.sum * rescale[0] + sum(totals[0]);
  state.highest = highest;
  return rescale[0];
}
