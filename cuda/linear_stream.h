// The weight-streaming core of bf16 `linear`, for few rows: bound by the memory that W comes from.
//
// A block computes 8 kTiles columns of y for all rows, with one warp per partition of the inputs. A warp's ring of
// stages in shared memory holds steps of W (and of x) on their way; a warp copies what it multiplies with, so nothing
// in the loop waits for another warp. W is read once by the whole grid.
//
// How much is on its way: a memory of 3.35 TB/s (H100) with a latency of some 700 ns needs 2.3 MB under way, 18 KB for
// each of 132 multiprocessors; half the latency being queues, 32 KB or more. With kRowGroups = kTiles = 1 a block has
// 2 warps of 24 stages of 512 bytes, 24 KB of W: MAR-H's head (1536 x 1536) has 192 such blocks, and all of its weights
// are asked for before the first one is used. Wider layers have four blocks on a multiprocessor.
//
// Why two partitions: a chain of mma has 25 (H200) to 33 cycles of latency per k-step. 768 inputs are 48 k-steps, 1200
// cycles or 0.7 us, behind the 1.4 us that 4.7 MB take. Without partitions it would be the other way round.
//
// To fuse something into either end:
// - `Rows` gives x. With kInShared = false it is `GlobalRows`, and x goes through the ring. With kInShared = true the
//   struct has
//     __device__ void prepare() const               Block. makes the rows, after all of the ring is under way, and ends
//                                                   with a block_sync if threads read what others wrote
//     __device__ const void* chunk(int row, int step, int c) const   where inputs 32 step + 8 c .. + 7 of a row lie in
//                                                   shared memory as bf16, zero beyond the last input; row <
//                                                   8 kRowGroups, and of those beyond the last anything
//   and its own shared memory starts at dynamic_shared<unsigned char>() + StreamShape<...>::kSharedBytes. Rows of 16
//   bytes more than a multiple of 128 are read without bank conflicts.
// - `Epilogue` takes the sums, see linear_epilogue.h.
#pragma once

#include "device.h"
#include "linear_epilogue.h"
#include "linear_weights.h"

namespace gtr::cuda {

// Rows of bf16 in global memory, aligned to 16 bytes as is the stride, whole steps long.
struct GlobalRows {
  static constexpr bool kInShared = false;
  const Bf16* x;
  int64_t stride;  // elements
  int64_t rows;
};

// kRowGroups: of 8 rows, 1, 2, 4, 6 or 8. kTiles: of 8 columns.
template <int kRowGroups_, int kTiles_, bool kRowsInShared>
struct StreamShape {
  static constexpr int kRowGroups = kRowGroups_;
  static constexpr int kTiles = kTiles_;
  static constexpr int kRows = 8 * kRowGroups;
  static constexpr int kColumns = kTileColumns * kTiles;
  static constexpr int kWarps = kPartitionsBf16;
  static constexpr int kThreads = kWarps * kWarp;
  static constexpr int kChunks = kTiles + (kRowsInShared ? 0 : kRowGroups);  // of a lane and step
  // Steps that one wait covers: at least 24 mma, enough to hide the wait and the loads from shared memory behind.
  static constexpr int kGroupSteps = kChunks <= 6 ? 4 : 2;
  // Groups on their way: about 24 KB of each warp, and 32 to 40 KB where more of it is x.
  static constexpr int kGroups = kChunks <= 2 ? 6 : kChunks == 6 ? 3 : 4;
  static constexpr int kStages = kGroups * kGroupSteps;
  static constexpr int kRingChunks = kStages * kChunks * kWarp;  // of a warp
  // 8 more than a multiple of 32 or than 16: a half warp stores its pairs of accumulators without bank conflicts.
  static constexpr int kSumsWidth = kColumns + 8;
  static constexpr int64_t kRingBytes = int64_t{kWarps} * kRingChunks * 16;
  static constexpr int64_t kSharedBytes = kRingBytes + kRows * kSumsWidth * 4;
};

// A lane's part of 8 rows of x or W and the 32 inputs of a step, as ldmatrix gives it: of[i] holds inputs 8 i + 2 t and
// the next of row g.
struct Fragments {
  Bf16x2 of[4];
};

// Warp. at: the lane's fragment_chunk of a swizzled step, or chunk lane / 8 of row lane % 8 as it lies elsewhere.
__device__ __forceinline__ Fragments load_fragments(const void* at) {
  Fragments fragments;
  load_matrix_x4(fragments.of, at);
  return fragments;
}

// A lane's fragments of one step: a[g] of rows 8 g .. 8 g + 7, b[t] of column tile t.
template <typename Shape>
struct StreamStep {
  Fragments a[Shape::kRowGroups];
  Fragments b[Shape::kTiles];
};

// D += A B for the two k-steps of a step.
template <int kRowGroups, int kTiles>
__device__ __forceinline__ void multiply_step(float (&sums)[(kRowGroups + 1) / 2][kTiles][4],
                                              const Fragments (&a)[kRowGroups], const Fragments (&b)[kTiles]) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
#pragma unroll
    for (int m = 0; m < (kRowGroups + 1) / 2; ++m) {
      const Fragments& top = a[2 * m];
      const Fragments bottom = 2 * m + 1 < kRowGroups ? a[2 * m + 1] : Fragments{};
      const Bf16x2 rows[4] = {top.of[2 * half], bottom.of[2 * half], top.of[2 * half + 1], bottom.of[2 * half + 1]};
#pragma unroll
      for (int n = 0; n < kTiles; ++n) {
        const Bf16x2 columns[2] = {b[n].of[2 * half], b[n].of[2 * half + 1]};
        multiply_bf16(sums[m][n], rows, columns);
      }
    }
  }
}

// A warp's way through its partition.
template <typename Shape, typename Rows>
class WeightStream {
 public:
  __device__ WeightStream(const void* weights, int64_t outputs, int steps, int tiles, int first_tile, const Rows& rows)
      : rows_(rows),
        ring_(dynamic_shared<uint4>() + warp_id() * Shape::kRingChunks),
        step_(partition_start_bf16(outputs, steps, warp_id())),
        end_(partition_start_bf16(outputs, steps, warp_id() + 1)),
        next_(step_) {
    const auto* packed = static_cast<const unsigned char*>(weights) + 16 * lane_id();
#pragma unroll
    for (int t = 0; t < Shape::kTiles; ++t) {
      has_tile_[t] = first_tile + t < tiles;
      weights_[t] = packed + (has_tile_[t] ? int64_t{first_tile + t} * steps * kStepBytes : 0);
    }
  }

  // Asks for all that the ring holds, of W before and of x after dependency_wait. Where that waits for nothing they go
  // together, so that the first groups can be multiplied while later ones are on their way.
  __device__ void start() {
    if constexpr (kOverlaps) {
      for (int group = 0; group < Shape::kGroups; ++group) copy_weights(group, next_ + group * Shape::kGroupSteps);
    }
    dependency_wait();
    for (int group = 0; group < Shape::kGroups; ++group) {
      if constexpr (!kOverlaps) copy_weights(group, next_);
      copy_rows(group, next_);
      copy_async_commit();
      next_ += Shape::kGroupSteps;
    }
  }

  // sums += what the partition adds.
  __device__ void run(float (&sums)[(Shape::kRowGroups + 1) / 2][Shape::kTiles][4]) {
    int slot = 0;
    while (step_ < end_) {
      copy_async_wait<Shape::kGroups - 1>();
      warp_sync();  // what the other lanes copied is there, too
      if (end_ - step_ >= Shape::kGroupSteps) {
        multiply<true>(slot, sums);
      } else {
        multiply<false>(slot, sums);
      }
      step_ += Shape::kGroupSteps;
      fetch(slot);
      slot = slot + 1 < Shape::kGroups ? slot + 1 : 0;
    }
  }

 private:
  __device__ uint4* stage(int slot, int s) const {
    return ring_ + (slot * Shape::kGroupSteps + s) * (Shape::kChunks * kWarp);
  }

  // The next group of steps into the slot; an empty group if there are no more, so that waits count right.
  __device__ void fetch(int slot) {
    copy_weights(slot, next_);
    copy_rows(slot, next_);
    copy_async_commit();
    next_ += Shape::kGroupSteps;
  }

  // Of the steps from `first` on, as far as there are any, the weights into the slot.
  __device__ void copy_weights(int slot, int first) const {
#pragma unroll
    for (int s = 0; s < Shape::kGroupSteps; ++s) {
      if (first + s < end_) {
        const int64_t step = first + s;
        uint4* to = stage(slot, s) + swizzled_chunk(lane_id());
#pragma unroll
        for (int t = 0; t < Shape::kTiles; ++t) {
          copy_async_16(to + t * kWarp, weights_[t] + step * kStepBytes, has_tile_[t]);
        }
      }
    }
  }
  // Of the same steps the rows, if they go through the ring.
  __device__ void copy_rows(int slot, int first) const {
    if constexpr (!Rows::kInShared) {
#pragma unroll
      for (int s = 0; s < Shape::kGroupSteps; ++s) {
        if (first + s < end_) {
          const int64_t step = first + s;
          uint4* to = stage(slot, s) + swizzled_chunk(lane_id());
#pragma unroll
          for (int g = 0; g < Shape::kRowGroups; ++g) {
            const int row = 8 * g + lane_id() / 4;
            const bool valid = row < rows_.rows;
            const Bf16* from =
                rows_.x + (valid ? row * rows_.stride : 0) + step * kStepInputsBf16 + 8 * (lane_id() % 4);
            copy_async_16(to + (Shape::kTiles + g) * kWarp, from, valid);
          }
        }
      }
    }
  }

  template <bool kWhole>
  __device__ void multiply(int slot, float (&sums)[(Shape::kRowGroups + 1) / 2][Shape::kTiles][4]) const {
    StreamStep<Shape> steps[Shape::kGroupSteps];
#pragma unroll
    for (int s = 0; s < Shape::kGroupSteps; ++s) {
      if (kWhole || step_ + s < end_) {
        const uint4* from = stage(slot, s) + fragment_chunk(lane_id());
#pragma unroll
        for (int t = 0; t < Shape::kTiles; ++t) steps[s].b[t] = load_fragments(from + t * kWarp);
#pragma unroll
        for (int g = 0; g < Shape::kRowGroups; ++g) {
          if constexpr (Rows::kInShared) {
            steps[s].a[g] = load_fragments(rows_.chunk(8 * g + lane_id() % 8, step_ + s, lane_id() / 8));
          } else {
            steps[s].a[g] = load_fragments(from + (Shape::kTiles + g) * kWarp);
          }
        }
      }
    }
#pragma unroll
    for (int s = 0; s < Shape::kGroupSteps; ++s) {
      if (kWhole || step_ + s < end_) multiply_step<Shape::kRowGroups, Shape::kTiles>(sums, steps[s].a, steps[s].b);
    }
  }

  Rows rows_;
  uint4* ring_;  // this warp's
  int step_;
  int end_;
  int next_;  // the first step that was not asked for
  const unsigned char* weights_[Shape::kTiles];
  bool has_tile_[Shape::kTiles];
};

// Block of Shape::kThreads with Shape::kSharedBytes (and what Rows needs); block b has the column tiles from
// b * kTiles on. Launched by launch_dependent. weights: packed bf16. Rows 0 .. rows - 1 of `outputs` columns go to the
// epilogue, unless *cancelled is not 0.
template <typename Shape, typename Rows>
__device__ __forceinline__ void stream_linear(const void* weights, int steps, int tiles, int64_t outputs,
                                              const Rows& rows, int64_t row_count, const LinearEpilogue& epilogue,
                                              const int32_t* cancelled) {
  const int32_t is_cancelled = load_relaxed(cancelled);  // looked at when the weights are on their way
  const int first_tile = static_cast<int>(blockIdx.x) * Shape::kTiles;
  const int64_t first_column = int64_t{first_tile} * kTileColumns;
  dependents_launch();
  WeightStream<Shape, Rows> stream(weights, outputs, steps, tiles, first_tile, rows);
  EarlyFinish<Shape::kRows, Shape::kColumns, Shape::kThreads> end(epilogue, row_count, first_column,
                                                                  outputs - first_column);
  stream.start();
  if (is_cancelled == 0) end.load_terms();
  constexpr int kRowTiles = (Shape::kRowGroups + 1) / 2;
  float sums[kRowTiles][Shape::kTiles][4] = {};
  if (is_cancelled == 0) {
    if constexpr (Rows::kInShared) rows.prepare();
    stream.run(sums);
  }
  copy_async_wait<0>();  // a cancelled call has copies under way
  if (is_cancelled != 0) return;

  auto* shared = reinterpret_cast<float*>(dynamic_shared<unsigned char>() + Shape::kRingBytes);
  const auto each_pair = [&](auto&& visit) {
#pragma unroll
    for (int g = 0; g < Shape::kRowGroups; ++g) {
#pragma unroll
      for (int n = 0; n < Shape::kTiles; ++n) {
        float2* at = reinterpret_cast<float2*>(shared + (8 * g + lane_id() / 4) * Shape::kSumsWidth + n * kTileColumns +
                                               2 * (lane_id() % 4));
        visit(*at, make_float2(sums[g / 2][n][g % 2 * 2], sums[g / 2][n][g % 2 * 2 + 1]));
      }
    }
  };
  static_assert(kPartitionsBf16 == 2, "the first partition's sums plus the second's");
  if (warp_id() == 1) each_pair([](float2& shared_pair, float2 own) { shared_pair = own; });
  block_sync();
  if (warp_id() == 0) {
    each_pair([](float2& shared_pair, float2 own) {
      shared_pair = make_float2(own.x + shared_pair.x, own.y + shared_pair.y);
    });
  }
  block_sync();
  end.finish(shared, Shape::kSumsWidth);
}

}  // namespace gtr::cuda
