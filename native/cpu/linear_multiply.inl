// The micro-kernels of `linear`, written once over a tier's Vec. Included by a tier's linear.cpp inside its namespace
// and an anonymous one, after it has defined
//   kVectors, the vectors per panel;
//   kStepsAtOnce, steps between two updates of pointers where weights come from the caches;
//   spread(p), the 4-byte element of x at p in every lane;
//   multiply_add(a, b, sum) = a b + sum;
// and after linear_finish.inl. No include guard, and nothing from std: see cmake/GtrCpuTiers.cmake.

// How a micro-kernel walks over a tile of x. at(row, step) is an element from where it stands, with constants for row
// and step.

// Packed, or read in place: which of the two shows in the strides. Three rows share a pointer: their addresses are one
// register plus a multiple of another.
template <int kRows>
class StridedRows {
 public:
  // Steps between two updates of the pointers, of which there are several.
  template <int kSteps, bool kByStep>
  static constexpr int64_t at_once() {
    // 8 is up to 1.26x faster where weights come from memory (bench/NOTES.md), slower by 2% where they do not.
    return kByStep ? 8 : kStepsAtOnce;
  }

  explicit GTR_SIMD_INLINE StridedRows(const LinearBlock& block)
      : stride_(block.x_stride), to_next_group_(block.x_group - kLinearGroup) {
#pragma GCC unroll 16
    for (int i = 0; i < kPointers; ++i) pointers_[i] = static_cast<const float*>(block.x) + 3 * i * stride_;
  }
  GTR_SIMD_INLINE const float* at(int row, int64_t step) const { return pointers_[row / 3] + row % 3 * stride_ + step; }
  GTR_SIMD_INLINE void advance(int64_t steps) {
#pragma GCC unroll 16
    for (int i = 0; i < kPointers; ++i) pointers_[i] += steps;
  }
  GTR_SIMD_INLINE void finish_group() { advance(to_next_group_); }

 private:
  static constexpr int kPointers = (kRows + 2) / 3;
  const float* pointers_[kPointers];
  const int64_t stride_;
  const int64_t to_next_group_;
};

// Packed always, for tiers that must pack or have few registers for addresses.
template <int kRows>
class PackedRows {
 public:
  template <int kSteps, bool kByStep>
  static constexpr int64_t at_once() {
    return kSteps;
  }

  explicit GTR_SIMD_INLINE PackedRows(const LinearBlock& block) : pointer_(static_cast<const float*>(block.x)) {}
  GTR_SIMD_INLINE const float* at(int row, int64_t step) const { return pointer_ + row * kLinearGroup + step; }
  GTR_SIMD_INLINE void advance(int64_t steps) { pointer_ += steps; }
  GTR_SIMD_INLINE void finish_group() { pointer_ += (kRows - 1) * kLinearGroup; }

 private:
  const float* pointer_;
};

constexpr int64_t kLine = 64;  // bytes

template <int kRows, int kPanels>
using Sums = Vec[kRows][kPanels * kVectors];

template <int kRows, int kPanels>
GTR_SIMD_INLINE void store_sums(const LinearBlock& block, const Sums<kRows, kPanels>& sums) {
  float* const to = block.sums;
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
    for (int n = 0; n < kPanels * kVectors; ++n) {
      store(to + ((n / kVectors) * kRows + row) * kColumns + (n % kVectors) * kLanes, sums[row][n]);
    }
  }
}

// What a call fetches besides what it multiplies. ByGroup: lines of what later calls read, some at a time, and its own
// weights a little ahead, from the second-level cache. ByStep: one or the other, line by line as far as it is used up,
// for weights that come from memory: while as many lines are on their way as the processor can follow, all loads wait.
struct FetchByGroup {
  static constexpr bool kByGroup = true;
  static constexpr bool kFollowing = true;
  static constexpr int64_t kOwnAhead = 1024;  // elements of 4 bytes; 0: not its own
};
struct FetchOwnByStep {
  static constexpr bool kByGroup = false;
  static constexpr bool kFollowing = false;
  static constexpr int64_t kOwnAhead = 2048;  // which leads on into the next panel
};
struct FetchFollowingByStep {
  static constexpr bool kByGroup = false;
  static constexpr bool kFollowing = true;
  static constexpr int64_t kOwnAhead = 0;
};

// A step's weights are kColumns elements of 4 bytes: floats, or bfloat16 pairs in a Vec of pairs.
struct WholeWeights {
  static constexpr int kSteps = 1;

  template <int kRows, int kPanels, typename Fetch, typename Rows>
  static GTR_SIMD_INLINE void multiply(const Rows& x, int64_t step, const float* weights, int64_t panel_stride,
                                       Sums<kRows, kPanels>& sums) {
    constexpr int kAll = kPanels * kVectors;
    Vec w[kAll];
#pragma GCC unroll 16
    for (int n = 0; n < kAll; ++n) {
      const float* from = weights + (n / kVectors) * panel_stride + (n % kVectors) * kLanes;
      w[n] = load(from);
      if (kPanels == 1 && Fetch::kOwnAhead > 0 && n * kLanes % 16 == 0) {
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
  }
};

// Rows: how x is walked over. Weights: how kColumns elements of 4 bytes are multiplied, and how many steps they are.
template <int kRows, int kPanels, template <int> class Rows, typename Weights, bool kFinish,
          typename Fetch = FetchByGroup>
GTR_SIMD_INLINE void multiply_block(const LinearBlock& block) {
  constexpr int64_t kAtOnce = Rows<kRows>::template at_once<Weights::kSteps, !Fetch::kByGroup>();
  constexpr bool kFollowingByStep = !Fetch::kByGroup && Fetch::kFollowing;
  constexpr int64_t kXAhead = 2 * kLinearGroup;  // steps
  Sums<kRows, kPanels> sums;
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
    for (int n = 0; n < kPanels * kVectors; ++n) sums[row][n] = broadcast(0.0f);
  }
  Rows<kRows> x(block);
  const float* weights = static_cast<const float*>(block.weights);
  const int64_t panel_stride = block.panel_stride / 4;
  const char* prefetch = block.prefetch;
  int64_t row_ahead = 0;
  for (int64_t left = block.steps; left > 0; left -= kLinearGroup) {
    if (Fetch::kByGroup) {
      for (int64_t line = 0; line < block.prefetch_lines; ++line, prefetch += kLine) __builtin_prefetch(prefetch, 0, 2);
    }
    if (block.fetch_x) {
#pragma GCC unroll 16
      for (int row = 0; row < kRows; ++row) __builtin_prefetch(x.at(row, kXAhead), 0, 3);
    }
    if (kFinish) {
      finish_on_the_way(*block.epilogue, block.unfinished, row_ahead);
      ++row_ahead;
    }
    if (left >= kLinearGroup) {
#pragma GCC unroll 1
      for (int64_t step = 0; step < kLinearGroup; step += kAtOnce) {
#pragma GCC unroll 8
        for (int64_t i = 0; i < kAtOnce; i += Weights::kSteps) {
          if (kFollowingByStep) __builtin_prefetch(prefetch + i / Weights::kSteps * kLine, 0, 3);
          if (!Fetch::kByGroup) asm volatile("" ::: "memory");  // else GCC gathers what several steps fetch
          Weights::template multiply<kRows, kPanels, Fetch>(x, i, weights + i / Weights::kSteps * kColumns,
                                                            panel_stride, sums);
        }
        x.advance(kAtOnce);
        weights += kAtOnce / Weights::kSteps * kColumns;
        if (kFollowingByStep) prefetch += kAtOnce / Weights::kSteps * kLine;
      }
      x.finish_group();
    } else {
#pragma GCC unroll 1
      for (int64_t step = 0; step < left; step += Weights::kSteps) {
        Weights::template multiply<kRows, kPanels, Fetch>(x, 0, weights, panel_stride, sums);
        x.advance(Weights::kSteps);
        weights += kColumns;
      }
    }
  }
  store_sums<kRows, kPanels>(block, sums);
}

template <int kRows, int kPanels>
void multiply(const LinearBlock& block) {
  multiply_block<kRows, kPanels, StridedRows, WholeWeights, false>(block);
}

template <int kRows>
void multiply_and_finish(const LinearBlock& block) {
  multiply_block<kRows, 1, StridedRows, WholeWeights, true>(block);
}

template <int kRows, template <int> class Rows, typename Weights, bool kFinish>
GTR_SIMD_INLINE void stream_block(const LinearBlock& block) {
  if (block.prefetch != nullptr) {
    multiply_block<kRows, 1, Rows, Weights, kFinish, FetchFollowingByStep>(block);
  } else {
    multiply_block<kRows, 1, Rows, Weights, kFinish, FetchOwnByStep>(block);
  }
}

template <int kRows>
void stream(const LinearBlock& block) {
  stream_block<kRows, StridedRows, WholeWeights, false>(block);
}

template <int kRows>
void stream_and_finish(const LinearBlock& block) {
  stream_block<kRows, StridedRows, WholeWeights, true>(block);
}

template <int kRows, int kPanels>
void multiply_packed(const LinearBlock& block) {
  multiply_block<kRows, kPanels, PackedRows, WholeWeights, false>(block);
}
