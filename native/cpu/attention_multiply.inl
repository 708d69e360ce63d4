// The micro-kernel of attention: a tile of kTileRows rows times some vectors of columns, sums in registers.
//
// A step is what one 4-byte unit of the left matrix meets: a float, or two bfloat16 where the tier multiplies pairs.

// Columns of packed matrices lie in panels of at most kTileVectors vectors; all steps of a panel follow one another.
// This many vectors from `vector` on make the panel that starts there, so that panels are about equally wide.
GTR_SIMD_INLINE int64_t panel_vectors(int64_t vector, int64_t vectors) {
  const int64_t left = vectors - vector;
  const int64_t panels = (left + kTileVectors - 1) / kTileVectors;
  return (left + panels - 1) / panels;
}

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
void multiply_rows(const float* a, const float* b, int64_t vectors, int64_t steps, float* c) {
  for (int64_t vector = 0; vector < vectors;) {
    const int64_t n = panel_vectors(vector, vectors);
    with_panel_width(n, [&](auto width) {
      multiply_tile<Arithmetic, width.value, kStrideA, kStrideC, kAdd>(a, b, steps, c + vector * kLanes);
    });
    b += n * kLanes * steps;
    vector += n;
  }
}
