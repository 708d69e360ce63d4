// The micro-kernels for bfloat16 weights on tiers that multiply floats: packed x holds floats that are exact bfloat16
// values, weights are widened in registers. Included after linear_multiply.inl; needs low_half and high_half, which
// widen the even and the odd elements of kLanes pairs.

template <int kRows, int kPanels>
void multiply_widened(const LinearBlock& block) {
  constexpr int kAll = kPanels * kVectors;
  Vec sums[kRows][kAll];
  begin<kRows, kPanels>(block, sums);
  const float* x = static_cast<const float*>(block.x);
  const float* weights = static_cast<const float*>(block.weights);
  const int64_t panel_stride = block.panel_stride / 4;
  const char* prefetch = block.prefetch;
  for (int64_t left = block.steps; left > 0; left -= kLinearGroup) {
    for (int64_t line = 0; line < block.prefetch_lines; ++line, prefetch += 64) {
      __builtin_prefetch(prefetch, 0, 2);
    }
    const float* group_end = x + (left < kLinearGroup ? left : kLinearGroup);
    const float* next = x + kRows * kLinearGroup;
    for (; x != group_end; x += 2, weights += kColumns) {
      Vec w[kAll];
#pragma GCC unroll 16
      for (int n = 0; n < kAll; ++n) {
        w[n] = low_half(weights + (n / kVectors) * panel_stride + (n % kVectors) * kLanes);
      }
#pragma GCC unroll 16
      for (int row = 0; row < kRows; ++row) {
        const Vec element = spread(x + row * kLinearGroup);
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
        const Vec element = spread(x + row * kLinearGroup + 1);
#pragma GCC unroll 16
        for (int n = 0; n < kAll; ++n) {
          sums[row][n] = multiply_add(element, w[n], sums[row][n]);
        }
      }
    }
    x = next;
  }
  end<kRows, kPanels>(block, sums);
}
