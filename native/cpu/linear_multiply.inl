// The micro-kernels of `linear`, written once over a tier's Vec. Included by a tier's linear.cpp inside its namespace
// and an anonymous one, after it has defined
//   kVectors, the vectors per panel;
//   spread(p), the 4-byte element of packed x at p in every lane;
//   multiply_add(a, b, sum) = a b + sum.
// No include guard, and nothing from std: see cmake/GtrCpuTiers.cmake.

constexpr int64_t kColumns = kLanes * kVectors;

template <int kRows, int kPanels>
GTR_SIMD_INLINE void begin(const LinearBlock& block, Vec (&sums)[kRows][kPanels * kVectors]) {
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
    for (int n = 0; n < kPanels * kVectors; ++n) {
      const float* from = block.sums + (n / kVectors) * block.sums_stride + row * kColumns + (n % kVectors) * kLanes;
      sums[row][n] = block.first ? broadcast(0.0f) : load(from);
    }
  }
}

template <int kRows, int kPanels>
GTR_SIMD_INLINE void end(const LinearBlock& block, const Vec (&sums)[kRows][kPanels * kVectors]) {
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
    for (int n = 0; n < kPanels * kVectors; ++n) {
      store(block.sums + (n / kVectors) * block.sums_stride + row * kColumns + (n % kVectors) * kLanes, sums[row][n]);
    }
  }
}

// A step's weights are kColumns elements of 4 bytes: floats, or bfloat16 pairs in a Vec of pairs.
template <int kRows, int kPanels>
void multiply(const LinearBlock& block) {
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
    for (; x != group_end; ++x, weights += kColumns) {
      Vec w[kAll];
#pragma GCC unroll 16
      for (int n = 0; n < kAll; ++n) {
        w[n] = load(weights + (n / kVectors) * panel_stride + (n % kVectors) * kLanes);
      }
#pragma GCC unroll 16
      for (int row = 0; row < kRows; ++row) {
        const Vec element = spread(x + row * kLinearGroup);
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
