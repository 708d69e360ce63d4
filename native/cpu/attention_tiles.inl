// The micro-kernel of attention on tiles (simd/tiles.h): kTileRows rows, two tiles of them or one, by two tiles of
// columns or one. Only live rows are worked on. Tiles 0 to 3 hold sums, [rows][columns], 4 and 5 the left matrix, 6 and
// 7 the packed one. All are configured with kMaxTileRows rows.

#include "attention_pack.inl"
#include "attention_softmax.inl"

static_assert(kTileRows == 2 * kMaxTileRows && kTileVectors == 2);

constexpr int64_t kStepBytes = kLanes * 4;  // of a vector
constexpr int64_t kTileUnits = kTileRowBytes / 4;

GTR_SIMD_INLINE int64_t worked_rows(int64_t rows) { return rows; }

template <bool kTwoRows, bool kTwoColumns, bool kAdd>
GTR_SIMD_INLINE void begin_sums(const float* c, int64_t stride) {
  if constexpr (kAdd) {
    const float* const lower = c + kMaxTileRows * stride;
    tile_load<0>(c, stride * 4);
    if constexpr (kTwoColumns) tile_load<1>(c + kLanes, stride * 4);
    if constexpr (kTwoRows) tile_load<2>(lower, stride * 4);
    if constexpr (kTwoRows && kTwoColumns) tile_load<3>(lower + kLanes, stride * 4);
  } else {
    tile_zero<0>();
    if constexpr (kTwoColumns) tile_zero<1>();
    if constexpr (kTwoRows) tile_zero<2>();
    if constexpr (kTwoRows && kTwoColumns) tile_zero<3>();
  }
}

template <bool kTwoRows, bool kTwoColumns>
GTR_SIMD_INLINE void store_sums(float* c, int64_t stride) {
  float* const lower = c + kMaxTileRows * stride;
  tile_store<0>(c, stride * 4);
  if constexpr (kTwoColumns) tile_store<1>(c + kLanes, stride * 4);
  if constexpr (kTwoRows) tile_store<2>(lower, stride * 4);
  if constexpr (kTwoRows && kTwoColumns) tile_store<3>(lower + kLanes, stride * 4);
}

// c[row][column] = (kAdd ? c[row][column] : 0) + sum over steps of a[row][step] b[step][column], for one panel.
template <bool kTwoRows, bool kTwoColumns, int64_t kStrideA, int64_t kStrideC, bool kAdd>
void multiply_panel(const float* a, const float* b, int64_t steps, float* c) {
  constexpr int64_t kPanelBytes = kTwoColumns ? 2 * kStepBytes : kStepBytes;
  begin_sums<kTwoRows, kTwoColumns, kAdd>(c, kStrideC);
  for (int64_t step = 0; step < steps; step += kTileUnits, a += kTileUnits, b += kTileUnits * kPanelBytes / 4) {
    tile_load<6>(b, kPanelBytes);
    tile_load<4>(a, kStrideA * 4);
    tile_multiply_add<0, 4, 6>();
    if constexpr (kTwoColumns) {
      tile_load<7>(b + kLanes, kPanelBytes);
      tile_multiply_add<1, 4, 7>();
    }
    if constexpr (kTwoRows) {
      tile_load<5>(a + kMaxTileRows * kStrideA, kStrideA * 4);
      tile_multiply_add<2, 5, 6>();
      if constexpr (kTwoColumns) tile_multiply_add<3, 5, 7>();
    }
  }
  store_sums<kTwoRows, kTwoColumns>(c, kStrideC);
}

// c = (kAdd ? c : 0) + a b for as many tiles of rows as the live rows lie in, and a packed matrix b of `vectors`
// vectors of columns.
template <typename Arithmetic, int64_t kStrideA, int64_t kStrideC, bool kAdd>
void multiply_rows(const float* a, const float* b, int64_t vectors, int64_t steps, int64_t rows, float* c) {
  const bool two = rows > kMaxTileRows;
  for (int64_t vector = 0; vector < vectors;) {
    const int64_t n = panel_vectors(vector, vectors);
    const auto multiply = n == 2 ? (two ? multiply_panel<true, true, kStrideA, kStrideC, kAdd>
                                        : multiply_panel<false, true, kStrideA, kStrideC, kAdd>)
                                 : (two ? multiply_panel<true, false, kStrideA, kStrideC, kAdd>
                                        : multiply_panel<false, false, kStrideA, kStrideC, kAdd>);
    multiply(a, b, steps, c + vector * kLanes);
    b += n * kLanes * steps;
    vector += n;
  }
}

// Scores of the live queries for `vectors` vectors of keys.
template <typename Arithmetic, bool kWeigh>
void score_rows(const float* queries, const float* keys, int64_t vectors, int64_t steps, int64_t rows, Scores& scores,
                Scores* = nullptr, float* = nullptr) {
  static_assert(!kWeigh);
  multiply_rows<Arithmetic, kHeadStride, kScoreStride, false>(queries, keys, vectors, steps, rows, scores.values);
  for (int64_t row = 0; row < rows; ++row) {
    const float* const from = scores.values + row * kScoreStride;
    Vec highest[2] = {broadcast(kMinusInfinity), broadcast(kMinusInfinity)};
    int64_t vector = 0;
    for (; vector + 2 <= vectors; vector += 2) {
      highest[0] = max(load(from + vector * kLanes), highest[0]);
      highest[1] = max(load(from + (vector + 1) * kLanes), highest[1]);
    }
    if (vector < vectors) highest[0] = max(load(from + vector * kLanes), highest[0]);
    store(scores.highest + row * kLanes, max(highest[1], highest[0]));
  }
}

// Calls fetch(row) with each row.
template <typename Arithmetic, typename Fetch>
void weigh_rows(Scores& scores, int64_t vectors, int64_t rows, float* weights, const Fetch& fetch) {
  constexpr int kAtOnce = 4;
  for (int64_t row = 0; row < rows; ++row, weights += kScoreStride) {
    fetch(row);
    const float* const from = scores.values + row * kScoreStride;
    const Vec offset = broadcast(scores.offsets[row]);
    const Vec factor = broadcast(scores.factor);
    Vec total = load(scores.totals + row * kLanes);
    int64_t vector = 0;
    for (; vector + kAtOnce <= vectors; vector += kAtOnce) {
      weigh<Arithmetic, kAtOnce>(from, vector * kLanes, offset, factor, weights, total);
    }
    for (; vector < vectors; ++vector) {
      weigh<Arithmetic, 1>(from, vector * kLanes, offset, factor, weights, total);
    }
    // Up to a whole tile of units.
    if (vectors % 2 != 0) store(weights + vectors * kLanes / 2, broadcast(0.0f), kLanes / 2);
    store(scores.totals + row * kLanes, total);
  }
}

// sums += weights times values for one row, without the values of hidden keys: a weight of 0 does not silence an
// infinity or a NaN. Same operations in the same order as those of multiply_rows.
template <typename Arithmetic>
void add_visible(const float* weights, const float* values, const uint8_t* visible, int64_t keys, int64_t head_dim,
                 float* sums) {
  alignas(64) float row[kMaxTileRows * kLanes] = {};  // a tile whose first row counts
  alignas(64) uint32_t kept[kTileUnits * kLanes];
  const int64_t vectors = round_up(head_dim, kLanes) / kLanes;
  const int64_t steps = units_of<Arithmetic>(keys);
  for (int64_t vector = 0; vector < vectors;) {
    const int64_t panel = panel_vectors(vector, vectors);
    for (int64_t n = 0; n < panel; ++n) {
      float* const target = sums + (vector + n) * kLanes;
      store(row, load(target));
      tile_load<0>(row, kTileRowBytes);
      for (int64_t step = 0; step < steps; step += kTileUnits) {
        for (int64_t i = 0; i < kTileUnits; ++i) {
          __builtin_memcpy(kept + i * kLanes, values + ((step + i) * panel + n) * kLanes, kStepBytes);
          const int64_t key = 2 * (step + i);  // the first of two elements is the lower half
          const uint32_t low = key < keys && visible[key] != 0 ? 0xffffu : 0u;
          const uint32_t high = key + 1 < keys && visible[key + 1] != 0 ? 0xffff0000u : 0u;
          for (int64_t lane = 0; lane < kLanes; ++lane) kept[i * kLanes + lane] &= low | high;
        }
        store(row, load(weights + step));
        tile_load<4>(row, kTileRowBytes);
        tile_load<6>(kept, kTileRowBytes);
        tile_multiply_add<0, 4, 6>();
      }
      tile_store<0>(row, kTileRowBytes);
      store(target, load(row));
      store(row, broadcast(0.0f));
    }
    values += steps * panel * kLanes;
    vector += panel;
  }
}
