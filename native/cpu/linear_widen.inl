// The micro-kernels for bfloat16 weights on tiers that multiply floats: packed x holds floats that are exact bfloat16
// values, weights are widened in registers. Included after linear_multiply.inl; needs low_half and high_half, which
// widen the even and the odd elements of kLanes pairs.

struct HalfWeights {
  static constexpr int kSteps = 2;

  template <int kRows, int kPanels, typename Fetch, typename Rows>
  static GTR_SIMD_INLINE void multiply(const Rows& x, int64_t step, const float* weights, int64_t panel_stride,
                                       Sums<kRows, kPanels>& sums) {
    constexpr int kAll = kPanels * kVectors;
    Vec w[kAll];
#pragma GCC unroll 16
    for (int n = 0; n < kAll; ++n) {
      const float* from = weights + (n / kVectors) * panel_stride + (n % kVectors) * kLanes;
      w[n] = low_half(from);
      if (!Fetch::kByGroup && Fetch::kOwnAhead > 0 && n * kLanes % 16 == 0) {
        __builtin_prefetch(from + Fetch::kOwnAhead, 0, 3);
      }
    }
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) {
      const Vec element = spread(x.at(row, step));
#pragma GCC unroll 16
      for (int n = 0; n < kAll; ++n) {
        sums[row][n] = multiply_add(element, w[n], sums[row][n]);
      }
    }
    // The pairs are read again rather than kept: registers are scarcer than loads.
    asm volatile("" ::: "memory");
#pragma GCC unroll 16
    for (int n = 0; n < kAll; ++n) {
      w[n] = high_half(weights + (n / kVectors) * panel_stride + (n % kVectors) * kLanes);
    }
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) {
      const Vec element = spread(x.at(row, step + 1));
#pragma GCC unroll 16
      for (int n = 0; n < kAll; ++n) {
        sums[row][n] = multiply_add(element, w[n], sums[row][n]);
      }
    }
  }
};

template <int kRows, int kPanels>
void multiply_widened(const LinearBlock& block) {
  multiply_block<kRows, kPanels, PackedRows, HalfWeights, false>(block);
}

template <int kRows>
void stream_widened(const LinearBlock& block) {
  stream_block<kRows, PackedRows, HalfWeights, false>(block);
}

template <int kRows>
void stream_widened_and_finish(const LinearBlock& block) {
  stream_block<kRows, PackedRows, HalfWeights, true>(block);
}

template <int kRows>
void multiply_widened_and_finish(const LinearBlock& block) {
  multiply_block<kRows, 1, PackedRows, HalfWeights, true>(block);
}
