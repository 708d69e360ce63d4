// The online softmax of kTileRows rows over one block of keys, and the scores that it starts from.

constexpr float kMinusInfinity = -__builtin_inff();

// Strides in units; not a multiple of 4 KiB, where rows would compete for cache sets.
constexpr int64_t kHeadStride = 256 + 16;
constexpr int64_t kScoreStride = kAttentionKeys + 16;

// Scores of kTileRows queries for a block of keys, and what their weights are found with:
// weight = 2^(factor (score - offset)).
struct Scores {
  alignas(64) float values[kTileRows * kScoreStride];
  alignas(64) float highest[kTileRows * kLanes];  // of a row, lane by lane
  alignas(64) float totals[kTileRows * kLanes];   // of the weights of a row, lane by lane
  float offsets[kTileRows];
  float rescale[kTileRows];  // by what a row's sums over earlier blocks of keys must be multiplied
  float factor;
};

struct SoftmaxState {
  float highest;  // score so far, minus infinity if there is none yet
  float sum;      // of the weights so far, relative to `highest`
};

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

// Weights of kCount vectors of scores from score `at` of a row on. They may take the place of the row's scores: what is
// written never gets ahead of what is read.
template <typename Arithmetic, int kCount>
GTR_SIMD_INLINE void weigh(const float* scores, int64_t at, Vec offset, Vec factor, float* units, Vec& total) {
  Vec weights[kCount];
#pragma GCC unroll 4
  for (int i = 0; i < kCount; ++i) weights[i] = (load(scores + at + i * kLanes) - offset) * factor;
  powers_of_two(weights, Arithmetic::kExponential);
#pragma GCC unroll 4
  for (int i = 0; i < kCount; ++i) total = total + weights[i];
#pragma GCC unroll 2
  for (int i = 0; i + 1 < kCount; i += 2) {
    Arithmetic::store_weights(units, at + i * kLanes, weights[i], weights[i + 1]);
  }
  if (kCount % 2 != 0) Arithmetic::store_weights(units, at + (kCount - 1) * kLanes, weights[kCount - 1]);
}

// Makes scores of hidden keys minus infinity, and finds the highest of the others anew.
GTR_SIMD_INLINE void hide(float* scores, float* highest, int64_t keys, const uint8_t* visible) {
  for (int64_t j = 0; j < keys; ++j) scores[j] = visible[j] != 0 ? scores[j] : kMinusInfinity;
  Vec all = broadcast(kMinusInfinity);
  for (int64_t j = 0; j < round_up(keys, kLanes); j += kLanes) all = max(load(scores + j), all);
  store(highest, all);
}

// The columns from keys on, which fill up the last vector.
GTR_SIMD_INLINE void hide_tail(float* scores, int64_t keys) {
  for (int64_t j = keys; j < round_up(keys, kLanes); ++j) scores[j] = kMinusInfinity;
}

// Takes the highest score of a row of the block into account, before its weights.
template <typename Arithmetic>
GTR_SIMD_INLINE void raise(int64_t row, Scores& scores, SoftmaxState& state) {
  const float here = maximum(load(scores.highest + row * kLanes));
  const float highest = here > state.highest ? here : state.highest;
  // Where nothing can be attended to yet, all weights are 2^-infinity = 0.
  const float offset = highest == kMinusInfinity ? 0.0f : highest;
  scores.offsets[row] = offset;
  store(scores.totals + row * kLanes, broadcast(0.0f));
  scores.rescale[row] = 0.0f;
  if (state.highest != kMinusInfinity) {
    Vec power[1] = {(broadcast(state.highest) - broadcast(offset)) * broadcast(scores.factor)};
    powers_of_two(power, Arithmetic::kExponential);
    float lanes[kLanes];
    store(lanes, power[0]);
    scores.rescale[row] = lanes[0];
  }
  state.highest = highest;
}

// Takes the weights of a row of the block into account.
GTR_SIMD_INLINE void add_total(int64_t row, const Scores& scores, SoftmaxState& state) {
  state.sum = state.sum * scores.rescale[row] + sum(load(scores.totals + row * kLanes));
}
