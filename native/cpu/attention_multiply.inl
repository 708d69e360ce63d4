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
#pragma GCC unroll 16
  for (int row = 0; row < kTileRows; ++row) {
#pragma GCC unroll 8
    for (int n = 0; n < kVectors; ++n) store(c + row * kStrideC + n * kLanes, sums[row][n]);
  }
}

// Rows must be a multiple of kTileRows.
template <typename Arithmetic, int kVectors, int64_t kStrideA, int64_t kStrideC, bool kAdd>
GTR_SIMD_INLINE void multiply_rows(int64_t rows, const float* a, const float* b, int64_t steps, float* c) {
  for (int64_t row = 0; row < rows; row += kTileRows) {
    multiply_tile<Arithmetic, kVectors, kStrideA, kStrideC, kAdd>(a + row * kStrideA, b, steps, c + row * kStrideC);
  }
}

// c = (kAdd ? c : 0) + a b for a packed matrix b of `vectors` vectors of columns.
template <typename Arithmetic, int64_t kStrideA, int64_t kStrideC, bool kAdd>
void multiply_matrix(int64_t rows, const float* a, const float* b, int64_t vectors, int64_t steps, float* c) {
  for (int64_t vector = 0; vector < vectors;) {
    const int64_t n = panel_vectors(vector, vectors);
    float* const columns = c + vector * kLanes;
    switch (n) {
      case 1:
        multiply_rows<Arithmetic, 1, kStrideA, kStrideC, kAdd>(rows, a, b, steps, columns);
        break;
      case 2:
        multiply_rows<Arithmetic, 2, kStrideA, kStrideC, kAdd>(rows, a, b, steps, columns);
        break;
      case 3:
        if constexpr (kTileVectors >= 3)
          multiply_rows<Arithmetic, 3, kStrideA, kStrideC, kAdd>(rows, a, b, steps, columns);
        break;
      default:
        if constexpr (kTileVectors >= 4)
          multiply_rows<Arithmetic, 4, kStrideA, kStrideC, kAdd>(rows, a, b, steps, columns);
        break;
    }
    b += n * kLanes * steps;
    vector += n;
  }
}
