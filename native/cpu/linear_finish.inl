// The epilogue of `linear`. Included by a tier's linear.cpp inside its namespace and an anonymous one, before
// linear_multiply.inl and after kVectors. A panel that the matrix ends in goes through the same arithmetic with fewer
// lanes loaded and stored, so that a column's bits do not depend on where the matrix ends.

constexpr int64_t kColumns = kLanes * kVectors;

template <typename T>
GTR_SIMD_INLINE T* row_of(const gtr_tensor& tensor, int64_t row, int64_t column) {
  return static_cast<T*>(tensor.data) + row * tensor.stride[0] + column;
}

// The columns of a panel that exist.
template <bool kWhole>
struct Columns {
  int64_t count;

  GTR_SIMD_INLINE int lanes(int n) const {
    const int64_t left = count - n * kLanes;
    return static_cast<int>(left < 0 ? 0 : left < kLanes ? left : kLanes);
  }
  template <typename T>
  GTR_SIMD_INLINE Vec load_part(const T* from, int n) const {
    return kWhole ? load(from + n * kLanes) : load(from + n * kLanes, lanes(n));
  }
  template <typename T>
  GTR_SIMD_INLINE void store_part(T* to, int n, Vec value) const {
    if (kWhole) {
      store(to + n * kLanes, value);
    } else {
      store(to + n * kLanes, value, lanes(n));
    }
  }
};

GTR_SIMD_INLINE Vec activate(gtr_activation activation, bool for_bfloat16, Vec value) {
  switch (activation) {
    case GTR_ACTIVATION_GELU:
      return for_bfloat16 ? gelu_for_bfloat16(value) : gelu(value);
    case GTR_ACTIVATION_SILU:
      return for_bfloat16 ? silu_for_bfloat16(value) : silu(value);
    default:
      return value;
  }
}

// What an epilogue consists of.
enum class Gate { kNone, kFloat, kBfloat16 };

struct EpilogueKind {
  gtr_activation activation;
  Gate gate;
  bool residual;
  bool to_bfloat16;
};

GTR_SIMD_INLINE EpilogueKind kind_of(const LinearEpilogue& epilogue) {
  return {epilogue.activation,
          epilogue.gate == nullptr          ? Gate::kNone
          : epilogue.gate->dtype == GTR_F32 ? Gate::kFloat
                                            : Gate::kBfloat16,
          epilogue.residual != nullptr, epilogue.y->dtype == GTR_BF16};
}

// Vector n of a row of a panel.
template <bool kWhole>
GTR_SIMD_INLINE void finish_vector(const EpilogueKind& kind, const LinearEpilogue& epilogue, int64_t row,
                                   int64_t column, Columns<kWhole> columns, const float* sums, int n) {
  Vec value =
      activate(kind.activation, kind.to_bfloat16, load(sums + n * kLanes) + load(epilogue.bias + column + n * kLanes));
  if (kind.gate == Gate::kFloat) {
    value = value * columns.load_part(row_of<const float>(*epilogue.gate, row, column), n);
  } else if (kind.gate == Gate::kBfloat16) {
    value = value * columns.load_part(row_of<const Bfloat16>(*epilogue.gate, row, column), n);
  }
  if (kind.residual) {
    value = columns.load_part(row_of<const float>(*epilogue.residual, row, column), n) + value;
  }
  if (kind.to_bfloat16) {
    columns.store_part(row_of<Bfloat16>(*epilogue.y, row, column), n, value);
  } else {
    columns.store_part(row_of<float>(*epilogue.y, row, column), n, value);
  }
}

// One row of a panel, vector by vector: next to a micro-kernel's sums there are few registers.
template <bool kWhole>
GTR_SIMD_INLINE void finish_row(const LinearEpilogue& epilogue, int64_t row, int64_t column, Columns<kWhole> columns,
                                const float* sums) {
#pragma GCC unroll 1
  for (int n = 0; n < kVectors; ++n) {
    finish_vector(kind_of(epilogue), epilogue, row, column, columns, sums, n);
  }
}

template <bool kWhole>
void finish_tile(const LinearEpilogue& epilogue, const LinearTile& tile, Columns<kWhole> columns) {
  for (int64_t row = 0; row < tile.rows; ++row) {
    finish_row(epilogue, tile.first_row + row, tile.column, columns, tile.sums + row * kColumns);
  }
}

void finish(const LinearEpilogue& epilogue, const LinearTile& tile, int64_t columns) {
  if (columns == kColumns) {
    finish_tile(epilogue, tile, Columns<true>{columns});
  } else {
    finish_tile(epilogue, tile, Columns<false>{columns});
  }
}

GTR_SIMD_INLINE void prefetch_residual_row(const LinearEpilogue& epilogue, int64_t row, int64_t column,
                                           int64_t columns) {
  constexpr int64_t kFloatsPerLine = 16;
  const float* from = row_of<const float>(*epilogue.residual, row, column);
  if (epilogue.residual->data == epilogue.y->data) {
    for (int64_t at = 0; at < columns; at += kFloatsPerLine) __builtin_prefetch(from + at, 1, 3);
  } else {
    for (int64_t at = 0; at < columns; at += kFloatsPerLine) __builtin_prefetch(from + at, 0, 3);
  }
}

void prefetch_residual(const LinearEpilogue& epilogue, const LinearTile& tile, int64_t columns) {
  for (int64_t row = 0; row < tile.rows; ++row) {
    prefetch_residual_row(epilogue, tile.first_row + row, tile.column, columns);
  }
}

// A micro-kernel's turn at the tile before, group after group: fetches the residual of row `ahead` and finishes the row
// kFinishLead before it.
GTR_SIMD_INLINE void finish_on_the_way(const LinearEpilogue& epilogue, const LinearTile& tile, int64_t ahead) {
  if (epilogue.residual != nullptr && ahead < tile.rows) {
    prefetch_residual_row(epilogue, tile.first_row + ahead, tile.column, kColumns);
  }
  const int64_t row = ahead - kFinishLead;
  if (row >= 0 && row < tile.rows) {
    finish_row(epilogue, tile.first_row + row, tile.column, Columns<true>{kColumns}, tile.sums + row * kColumns);
  }
}
