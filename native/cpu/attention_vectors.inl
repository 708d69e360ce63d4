// The micro-kernel of attention on vectors: a tile of kTileRows rows times some vectors of columns, sums in registers.
// All rows of a tile are worked on, live or not.

#include "attention_pack.inl"
#include "attention_softmax.inl"

GTR_SIMD_INLINE int64_t worked_rows(int64_t) { return kTileRows; }

// Calls body with the width of a panel as a constant.
template <int64_t kVectors>
struct PanelWidth {
  static constexpr int value = kVectors;
};
template <typename Body>
GTR_SIMD_INLINE void with_panel_width(int64_t vectors, Body&& body) {
  static_assert(kTileVectors >= 2 && kTileVectors <= 4);
  switch (vectors) {
    case 1:
      return body(PanelWidth<1>{});
    case 2:
      return body(PanelWidth<2>{});
    case 3:
      if constexpr (kTileVectors >= 3) body(PanelWidth<3>{});
      return;
    default:
      if constexpr (kTileVectors >= 4) body(PanelWidth<4>{});
      return;
  }
}

// sums[row][column] += a[row][0] b[0][column]
template <typename Arithmetic, int kVectors, int64_t kStrideA>
GTR_SIMD_INLINE void multiply_step(const float* a, const float* b, Vec (&sums)[kTileRows][kVectors]) {
  Vec w[kVectors];
#pragma GCC unroll 8
  for (int n = 0; n < kVectors; ++n) w[n] = load(b + n * kLanes);
#pragma GCC unroll 16
  for (int row = 0; row < kTileRows; ++row) {
    const Vec x = broadcast_unit(a + row * kStrideA);
#pragma GCC unroll 8
    for (int n = 0; n < kVectors; ++n) sums[row][n] = Arithmetic::multiply_add(x, w[n], sums[row][n]);
  }
}

// c[row][column] = (kAdd ? c[row][column] : 0) + sum over steps of a[row][step] b[step][column], in ascending order.
template <typename Arithmetic, int kVectors, int64_t kStrideA, int64_t kStrideC, bool kAdd>
void multiply_tile(const float* a, const float* b, int64_t steps, float* c) {
  Vec sums[kTileRows][kVectors];
#pragma GCC unroll 16
  for (int row = 0; row < kTileRows; ++row) {
#pragma GCC unroll 8
    for (int n = 0; n < kVectors; ++n) {
      sums[row][n] = kAdd ? load(c + row * kStrideC + n * kLanes) : broadcast(0.0f);
    }
  }
  for (int64_t step = 0; step < steps; ++step, ++a, b += kVectors * kLanes) {
    multiply_step<Arithmetic, kVectors, kStrideA>(a, b, sums);
  }
#pragma GCC unroll 16
  for (int row = 0; row < kTileRows; ++row) {
#pragma GCC unroll 8
    for (int n = 0; n < kVectors; ++n) store(c + row * kStrideC + n * kLanes, sums[row][n]);
  }
}

// c = (kAdd ? c : 0) + a b for kTileRows rows and a packed matrix b of `vectors` vectors of columns.
template <typename Arithmetic, int64_t kStrideA, int64_t kStrideC, bool kAdd>
void multiply_rows(const float* a, const float* b, int64_t vectors, int64_t steps, int64_t, float* c) {
  for (int64_t vector = 0; vector < vectors;) {
    const int64_t n = panel_vectors(vector, vectors);
    with_panel_width(n, [&](auto width) {
      multiply_tile<Arithmetic, width.value, kStrideA, kStrideC, kAdd>(a, b, steps, c + vector * kLanes);
    });
    b += n * kLanes * steps;
    vector += n;
  }
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
void score_rows(const float* queries, const float* keys, int64_t vectors, int64_t steps, int64_t, Scores& scores,
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

// Calls fetch(row) with each row.
template <typename Arithmetic, typename Fetch>
void weigh_rows(Scores& scores, int64_t vectors, int64_t, float* weights, const Fetch& fetch) {
  for (int64_t row = 0; row < kTileRows; ++row) fetch(row);
  for (int64_t vector = 0; vector < vectors;) {
    const int64_t n = panel_vectors(vector, vectors);
    with_panel_width(n, [&](auto width) { weigh_panel<Arithmetic, width.value>(scores, vector * kLanes, weights); });
    vector += n;
  }
}

// sums += weights times values for one row, without the values of hidden keys: a weight of 0 does not silence an
// infinity or a NaN. Same operations in the same order as the micro-kernel's.
template <typename Arithmetic>
void add_visible(const float* weights, const float* values, const uint8_t* visible, int64_t keys, int64_t head_dim,
                 float* sums) {
  const int64_t vectors = round_up(head_dim, kLanes) / kLanes;
  for (int64_t vector = 0; vector < vectors;) {
    const int64_t panel = panel_vectors(vector, vectors);
    for (int64_t key = 0; key < keys; key += Arithmetic::kElements) {
      const Vec weight = broadcast_unit(weights + key / Arithmetic::kElements);
      // The first of two elements is the lower half.
      uint32_t keep_bits = visible[key] != 0 ? ~0u : 0u;
      if (Arithmetic::kElements == 2) {
        const bool next = key + 1 < keys && visible[key + 1] != 0;
        keep_bits = (keep_bits & 0xffffu) | (next ? 0xffff0000u : 0u);
      }
      for (int64_t n = 0; n < panel; ++n, values += kLanes) {
        uint32_t units[kLanes];
        __builtin_memcpy(units, values, sizeof units);
        for (uint32_t& unit : units) unit &= keep_bits;
        float kept[kLanes];
        __builtin_memcpy(kept, units, sizeof kept);
        float* const target = sums + (vector + n) * kLanes;
        store(target, Arithmetic::multiply_add(weight, load(kept), load(target)));
      }
    }
    vector += panel;
  }
}
