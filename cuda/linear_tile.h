// The tiled core of bf16 `linear`, for many rows: bound by the tensor cores, and by what brings x and W to them.
//
// A block computes kRows x kColumns of y. Half of its warps work on each of the two partitions of the inputs, each on
// the whole tile, so that no warp needs a second set of accumulators to add partitions; at the end they are added in
// shared memory. A stage holds a step (32 inputs) of each partition. cp.async fills kStages - 1 of them ahead.
//
// In shared memory x lies as rows of 64 bytes and W as packed, both swizzled (linear_weights.h): ldmatrix reads without
// bank conflicts.
//
// Reasoning behind the shapes, per multiprocessor, for cards that have no wgmma (linear_hopper.h). None was at hand; on
// an H200 they reached 110 to 210 TFLOP/s, a third of what mma.sync on registers does. An A100 does 1024 multiply-adds
// a clock, mma.sync on an H100 some 1300; both read 128 bytes a clock from shared memory.
// - A warp tile of 64 x 64 needs 16 loads of 512 bytes for 64 mma = 131072 multiply-adds: 64 clocks' worth of shared
//   memory against 128 (100) of arithmetic. 64 x 32 would be 75% (96%): only for the small tiles, that wait for other
//   things anyway.
// - A tile of 128 x 128 reads 512 bytes from L2 for 16384 multiply-adds: 32 (41) bytes a clock, of about 47 (30 to 40)
//   that the L2 gives. Wider tiles would need accumulators that do not fit beside those of the other partition.
// - 128 x 128 has 8 warps of about 200 registers, one block per multiprocessor, 96 KB for 3 stages: the most that
//   compute capability 8.6 and 8.9 have. The others leave room for two or three blocks, whose ends overlap.
//
// Epilogues: linear_epilogue.h.
#pragma once

#include "device.h"
#include "linear_epilogue.h"
#include "linear_stream.h"
#include "linear_weights.h"

namespace gtr::cuda {

template <int kRows_, int kColumns_, int kWarpRows_, int kWarpColumns_, int kStages_>
struct TileShape {
  static constexpr int kRows = kRows_;
  static constexpr int kColumns = kColumns_;
  static constexpr int kWarpRows = kWarpRows_;
  static constexpr int kWarpColumns = kWarpColumns_;
  static constexpr int kStages = kStages_;
  static constexpr int kWarpsAcross = kColumns / kWarpColumns;
  static constexpr int kSliceThreads = kRows / kWarpRows * kWarpsAcross * kWarp;  // that share a partition
  static constexpr int kThreads = kPartitionsBf16 * kSliceThreads;
  static constexpr int kRowChunks = kStepRowBytes / 16;
  static constexpr int kStageRows = kRows * kRowChunks;                        // chunks of x in a partition's stage
  static constexpr int kStageColumns = kColumns / kTileColumns * kStepChunks;  // and of W
  static constexpr int kSliceChunks = kStageRows + kStageColumns;
  static constexpr int kStageChunks = kPartitionsBf16 * kSliceChunks;
  static constexpr int kSumsWidth =
      kColumns + 8;  // a half warp stores its pairs of accumulators without bank conflicts
  static constexpr int64_t kRingBytes = int64_t{kStages} * kStageChunks * 16;
  static constexpr int64_t kSumsBytes = int64_t{kRows} * kSumsWidth * 4;
  static constexpr int64_t kSharedBytes = kRingBytes > kSumsBytes ? kRingBytes : kSumsBytes;

  static_assert(kRows % kWarpRows == 0 && kColumns % kWarpColumns == 0, "warps tile the tile");
  static_assert(kWarpRows % 16 == 0 && kWarpColumns % kTileColumns == 0, "whole mma");
  static_assert(kStageRows % kSliceThreads == 0 && kStageColumns % kSliceThreads == 0, "copies without a remainder");
};

// A thread's copies into its partition's half of the stages.
template <typename Shape>
class TileCopies {
 public:
  __device__ TileCopies(const void* weights, int64_t outputs, int steps, int tiles, int first_tile,
                        const GlobalRows& rows, int64_t first_row)
      : thread_(static_cast<int>(threadIdx.x) % Shape::kSliceThreads),
        slice_(static_cast<int>(threadIdx.x) / Shape::kSliceThreads),
        step_(partition_start_bf16(outputs, steps, slice_)),
        end_(partition_start_bf16(outputs, steps, slice_ + 1)),
        tile_stride_(int64_t{steps} * kStepBytes),
        stride_(rows.stride) {
    const int row = thread_ / Shape::kRowChunks;
    const int tile = thread_ / kStepChunks;
    rows_left_ = rows.rows - first_row - row;
    tiles_left_ = tiles - first_tile - tile;
    // Where nothing is left, nothing is read, but the address has to be one.
    x_ = rows.x + (rows_left_ > 0 ? (first_row + row) * stride_ : 0) + 8 * (thread_ % Shape::kRowChunks);
    weights_ = static_cast<const unsigned char*>(weights) + 16 * (thread_ % kStepChunks) +
               (tiles_left_ > 0 ? (first_tile + tile) * tile_stride_ : 0);
  }

  __device__ int slice() const { return slice_; }
  __device__ int steps() const { return end_ - step_; }

  // Step i of the partition into the stage; an empty group if there is none, so that waits count right.
  __device__ void fetch(uint4* stage, int i) const {
    copy_rows(stage, i);
    copy_weights(stage, i);
    copy_async_commit();
  }

  // Of that step x.
  __device__ void copy_rows(uint4* stage, int i) const {
    const int64_t step = step_ + i;
    if (step < end_) {
      uint4* to = stage + slice_ * Shape::kSliceChunks + swizzled_chunk(thread_);
      constexpr int kRowsApart = Shape::kSliceThreads / Shape::kRowChunks;
#pragma unroll
      for (int j = 0; j < Shape::kStageRows / Shape::kSliceThreads; ++j) {
        const bool valid = j * kRowsApart < rows_left_;
        const Bf16* from = x_ + (valid ? j * kRowsApart * stride_ : 0) + step * kStepInputsBf16;
        copy_async_16(to + j * Shape::kSliceThreads, from, valid);
      }
    }
  }

  // Of that step W.
  __device__ void copy_weights(uint4* stage, int i) const {
    const int64_t step = step_ + i;
    if (step < end_) {
      uint4* to = stage + slice_ * Shape::kSliceChunks + Shape::kStageRows + swizzled_chunk(thread_);
      constexpr int kTilesApart = Shape::kSliceThreads / kStepChunks;
#pragma unroll
      for (int j = 0; j < Shape::kStageColumns / Shape::kSliceThreads; ++j) {
        const bool valid = j * kTilesApart < tiles_left_;
        const unsigned char* from = weights_ + (valid ? j * kTilesApart * tile_stride_ : 0) + step * kStepBytes;
        copy_async_16(to + j * Shape::kSliceThreads, from, valid);
      }
    }
  }

 private:
  int thread_;
  int slice_;
  int step_;
  int end_;
  int64_t tile_stride_;  // bytes
  int64_t stride_;       // elements
  int64_t rows_left_;    // from the thread's first row of the tile on
  int64_t tiles_left_;
  const Bf16* x_;
  const unsigned char* weights_;
};

// Block of Shape::kThreads with Shape::kSharedBytes; it computes rows first_row .. and column tiles first_tile .., as
// far as they exist, unless *cancelled is not 0. Launched by launch_dependent. weights: packed bf16. rows: as for
// streams, aligned to 16 bytes and whole steps long.
template <typename Shape, typename Epilogue>
__device__ __forceinline__ void tile_linear(const void* weights, int steps, int tiles, int64_t outputs,
                                            const GlobalRows& rows, int64_t first_row, int first_tile,
                                            const Epilogue& epilogue, const int32_t* cancelled) {
  const int32_t is_cancelled = load_relaxed(cancelled);  // looked at when the first stages are on their way
  constexpr int kRowTiles = Shape::kWarpRows / 16;
  constexpr int kColumnTiles = Shape::kWarpColumns / kTileColumns;
  auto* const ring = dynamic_shared<uint4>();
  const TileCopies<Shape> copies(weights, outputs, steps, tiles, first_tile, rows, first_row);
  dependents_launch();
  // W before and x after dependency_wait; together where that waits for nothing.
  if constexpr (kOverlaps) {
#pragma unroll
    for (int i = 0; i < Shape::kStages - 1; ++i) copies.copy_weights(ring + i * Shape::kStageChunks, i);
  }
  dependency_wait();
#pragma unroll
  for (int i = 0; i < Shape::kStages - 1; ++i) {
    if constexpr (!kOverlaps) copies.copy_weights(ring + i * Shape::kStageChunks, i);
    copies.copy_rows(ring + i * Shape::kStageChunks, i);
    copy_async_commit();
  }

  const int warp = static_cast<int>(threadIdx.x) % Shape::kSliceThreads / kWarp;
  const int warp_row = warp / Shape::kWarpsAcross * Shape::kWarpRows;
  const int warp_column = warp % Shape::kWarpsAcross * Shape::kWarpColumns;
  const uint4* const own = ring + copies.slice() * Shape::kSliceChunks;
  const uint4* const own_rows = own + warp_row * Shape::kRowChunks + fragment_chunk(lane_id());
  const uint4* const own_columns =
      own + Shape::kStageRows + warp_column / kTileColumns * kStepChunks + fragment_chunk(lane_id());

  float sums[kColumnTiles][kRowTiles][1][4] = {};
  const int own_steps = copies.steps();
  const int most_steps = is_cancelled == 0 ? partition_start_bf16(outputs, steps, 1) : 0;
  int stage = 0;
  int filled = Shape::kStages - 1;
  for (int i = 0; i < most_steps; ++i) {
    copy_async_wait<Shape::kStages - 2>();
    // The stage's copies are there for all threads, and all have read what the stage before it held.
    block_sync();
    copies.fetch(ring + filled * Shape::kStageChunks, i + Shape::kStages - 1);
    if (i < own_steps) {
      const uint4* const x = own_rows + stage * Shape::kStageChunks;
      const uint4* const w = own_columns + stage * Shape::kStageChunks;
      Fragments a[2 * kRowTiles];
#pragma unroll
      for (int g = 0; g < 2 * kRowTiles; ++g) a[g] = load_fragments(x + 8 * g * Shape::kRowChunks);
#pragma unroll
      for (int n = 0; n < kColumnTiles; ++n) {
        const Fragments b[1] = {load_fragments(w + n * kStepChunks)};
        multiply_step<2 * kRowTiles, 1>(sums[n], a, b);
      }
    }
    stage = stage + 1 < Shape::kStages ? stage + 1 : 0;
    filled = filled + 1 < Shape::kStages ? filled + 1 : 0;
  }
  copy_async_wait<0>();  // a cancelled call has copies under way
  if (is_cancelled != 0) return;
  block_sync();  // the ring, into which no copies are under way any more, becomes the tile of sums

  auto* const shared = dynamic_shared<float>();
  const auto each_pair = [&](auto&& visit) {
#pragma unroll
    for (int g = 0; g < 2 * kRowTiles; ++g) {
#pragma unroll
      for (int n = 0; n < kColumnTiles; ++n) {
        float2* at = reinterpret_cast<float2*>(shared + (warp_row + 8 * g + lane_id() / 4) * Shape::kSumsWidth +
                                               warp_column + n * kTileColumns + 2 * (lane_id() % 4));
        const float(&held)[4] = sums[n][g / 2][0];
        visit(*at, make_float2(held[g % 2 * 2], held[g % 2 * 2 + 1]));
      }
    }
  };
  static_assert(kPartitionsBf16 == 2, "the first partition's sums plus the second's");
  if (copies.slice() == 1) each_pair([](float2& shared_pair, float2 held) { shared_pair = held; });
  block_sync();
  if (copies.slice() == 0) {
    each_pair([](float2& shared_pair, float2 held) {
      shared_pair = make_float2(held.x + shared_pair.x, held.y + shared_pair.y);
    });
  }
  block_sync();
  const int64_t first_column = int64_t{first_tile} * kTileColumns;
  finish_tile<Shape::kRows, Shape::kColumns, Shape::kThreads>(
      epilogue, shared, Shape::kSumsWidth, first_row, rows.rows - first_row, first_column, outputs - first_column);
}

}  // namespace gtr::cuda
