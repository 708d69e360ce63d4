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

// Weights of kCount vectors of scores from score `at` of a row on.
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

// Weights of the scores in one panel, to rows of units kScoreStride apart.
template <typename Arithmetic, int kVectors>
GTR_SIMD_INLINE void weigh_panel(Scores& scores, int64_t at, float* weights) {
  for (int row = 0; row < kTileRows; ++row, weights += kScoreStride) {
    Vec total = load(scores.totals + row * kLanes);
    weigh<Arithmetic, kVectors>(scores.values + row * kScoreStride, at, broadcast(scores.offsets[row]),
                                broadcast(scores.factor), weights, total);
    store(scores.totals + row * kLanes, total);
  }
}

// Scores for the keys of one panel. With kWeigh, steps of this product alternate with the weights of the same panel of
// earlier scores: most of their instructions then cost nothing, since other ports than the product's execute them.
template <typename Arithmetic, int kVectors, bool kWeigh>
void score_panel(const float* queries, const float* keys, int64_t steps, int64_t at, Scores& scores, Scores* before,
                 float* weights) {
  Vec sums[kTileRows][kVectors];
#pragma GCC unroll 16
  for (int row = 0; row < kTileRows; ++row) {
#pragma GCC unroll 8
    for (int n = 0; n < kVectors; ++n) sums[row][n] = broadcast(0.0f);
  }
  const float* const end = queries + steps;
  if constexpr (kWeigh) {
    const int64_t steps_per_row = steps / kTileRows;
    const float* scores_before = before->values;
    for (int row = 0; row < kTileRows; ++row, scores_before += kScoreStride, weights += kScoreStride) {
      Vec total = load(before->totals + row * kLanes);
#pragma GCC unroll 8
      for (int n = 0; n < kVectors; ++n) {
        multiply_step<Arithmetic, kVectors, kHeadStride>(queries, keys, sums);
        ++queries;
        keys += kVectors * kLanes;
        weigh<Arithmetic, 1>(scores_before, at + n * kLanes, broadcast(before->offsets[row]), broadcast(before->factor),
                             weights, total);
      }
      store(before->totals + row * kLanes, total);
      for (int64_t i = kVectors; i < steps_per_row; ++i, ++queries, keys += kVectors * kLanes) {
        multiply_step<Arithmetic, kVectors, kHeadStride>(queries, keys, sums);
      }
    }
  }
  for (; queries < end; ++queries, keys += kVectors * kLanes) {
    multiply_step<Arithmetic, kVectors, kHeadStride>(queries, keys, sums);
  }
#pragma GCC unroll 16
  for (int row = 0; row < kTileRows; ++row) {
    Vec highest = load(scores.highest + row * kLanes);
#pragma GCC unroll 8
    for (int n = 0; n < kVectors; ++n) {
      store(scores.values + row * kScoreStride + at + n * kLanes, sums[row][n]);
      highest = max(sums[row][n], highest);
    }
    store(scores.highest + row * kLanes, highest);
  }
}

// Can steps of a product alternate with weights? Each row of a panel needs as many steps as the panel has vectors.
constexpr bool can_alternate(int64_t steps) { return kAlternate && steps >= kTileRows * kTileVectors; }

// Scores of kTileRows queries for `vectors` vectors of keys; with kWeigh, the weights of as many earlier scores as
// well.
template <typename Arithmetic, bool kWeigh>
void score_rows(const float* queries, const float* keys, int64_t vectors, int64_t steps, Scores& scores,
                Scores* before = nullptr, float* weights = nullptr) {
  for (int row = 0; row < kTileRows; ++row) store(scores.highest + row * kLanes, broadcast(kMinusInfinity));
  for (int64_t vector = 0; vector < vectors;) {
    const int64_t n = panel_vectors(vector, vectors);
    with_panel_width(n, [&](auto width) {
      score_panel<Arithmetic, width.value, kWeigh>(queries, keys, steps, vector * kLanes, scores, before, weights);
    });
    keys += n * kLanes * steps;
    vector += n;
  }
}

template <typename Arithmetic>
void weigh_rows(Scores& scores, int64_t vectors, float* weights) {
  for (int64_t vector = 0; vector < vectors;) {
    const int64_t n = panel_vectors(vector, vectors);
    with_panel_width(n, [&](auto width) { weigh_panel<Arithmetic, width.value>(scores, vector * kLanes, weights); });
    vector += n;
  }
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
