// The epilogue of `linear`. Included by a tier's linear.cpp inside its namespace and an anonymous one, after
// linear_multiply.inl. A panel that the matrix ends in goes through the same arithmetic with fewer lanes loaded and
// stored, so that a column's bits do not depend on where the matrix ends.

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

template <gtr_activation kActivation>
GTR_SIMD_INLINE Vec activate(Vec value) {
  return kActivation == GTR_ACTIVATION_GELU ? gelu(value) : kActivation == GTR_ACTIVATION_SILU ? silu(value) : value;
}

template <gtr_activation kActivation, bool kWhole>
void finish_rows(const LinearEpilogue& epilogue, int64_t first_row, int64_t rows, int64_t column,
                 Columns<kWhole> columns, const float* sums) {
  const float* bias = epilogue.bias + column;
  const bool gate_is_float = epilogue.gate != nullptr && epilogue.gate->dtype == GTR_F32;
  const bool y_is_float = epilogue.y->dtype == GTR_F32;
  for (int64_t row = first_row; row < first_row + rows; ++row, sums += kColumns) {
    Vec value[kVectors];
    for (int n = 0; n < kVectors; ++n) {
      value[n] = activate<kActivation>(load(sums + n * kLanes) + load(bias + n * kLanes));
    }
    if (epilogue.gate != nullptr) {
      for (int n = 0; n < kVectors; ++n) {
        value[n] =
            value[n] * (gate_is_float ? columns.load_part(row_of<const float>(*epilogue.gate, row, column), n)
                                      : columns.load_part(row_of<const Bfloat16>(*epilogue.gate, row, column), n));
      }
    }
    if (epilogue.residual != nullptr) {
      for (int n = 0; n < kVectors; ++n) {
        value[n] = columns.load_part(row_of<const float>(*epilogue.residual, row, column), n) + value[n];
      }
    }
    for (int n = 0; n < kVectors; ++n) {
      if (y_is_float) {
        columns.store_part(row_of<float>(*epilogue.y, row, column), n, value[n]);
      } else {
        columns.store_part(row_of<Bfloat16>(*epilogue.y, row, column), n, value[n]);
      }
    }
  }
}

template <gtr_activation kActivation>
void finish_with(const LinearEpilogue& epilogue, int64_t first_row, int64_t rows, int64_t column, int64_t columns,
                 const float* sums) {
  if (columns == kColumns) {
    finish_rows<kActivation>(epilogue, first_row, rows, column, Columns<true>{columns}, sums);
  } else {
    finish_rows<kActivation>(epilogue, first_row, rows, column, Columns<false>{columns}, sums);
  }
}

void finish(const LinearEpilogue& epilogue, int64_t first_row, int64_t rows, int64_t first_column, int64_t columns,
            const float* sums) {
  const auto with = epilogue.activation == GTR_ACTIVATION_GELU   ? finish_with<GTR_ACTIVATION_GELU>
                    : epilogue.activation == GTR_ACTIVATION_SILU ? finish_with<GTR_ACTIVATION_SILU>
                                                                 : finish_with<GTR_ACTIVATION_NONE>;
  with(epilogue, first_row, rows, first_column, columns, sums);
}

constexpr int64_t kFloatsPerLine = 16;

template <bool kToWrite>
void prefetch_rows(const gtr_tensor& tensor, int64_t first_row, int64_t rows, int64_t column, int64_t columns) {
  const float* row = row_of<const float>(tensor, first_row, column);
  for (int64_t i = 0; i < rows; ++i, row += tensor.stride[0]) {
    for (int64_t at = 0; at < columns; at += kFloatsPerLine) __builtin_prefetch(row + at, kToWrite, 3);
  }
}

void prefetch_residual(const LinearEpilogue& epilogue, int64_t first_row, int64_t rows, int64_t column,
                       int64_t columns) {
  if (epilogue.residual->data == epilogue.y->data) {
    prefetch_rows<true>(*epilogue.y, first_row, rows, column, columns);
  } else {
    prefetch_rows<false>(*epilogue.residual, first_row, rows, column, columns);
  }
}
