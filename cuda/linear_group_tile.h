// The tiled core of bf16 `linear` on warpgroups (wgmma).
//
// A block computes kRows x kColumns of y, a warpgroup 64 of the rows. A stage holds 64 inputs, two steps, of both
// operands, as wgmma reads them: rows of 128 bytes, swizzled. Copies and products share their threads: in the turn of
// stage i, whose products are issued first, everybody asks for stage i + kStages - 2, into the place of stage i - 2,
// whose products everybody has waited for before the turn's block_sync. So the tensor cores have a stage's products to
// go on with, while the threads wait for copies and compute addresses.
//
// A stage takes an H200 some 390 clocks and 1.3 times what wgmma needs at its full rate, in every shape and with 3 to 8
// stages. What bounds it is not understood; bench/NOTES-CUDA.md has what it is not.
//
// Partitions: how a block takes the two of the inputs. A stage belongs to one partition: of an odd number of steps the
// last stage has one.
//   kSingle    only for matrices that have a single one: sums of 192 x 192 fit into the registers
//   kInTurn    one after the other, and between them the sums move to registers of their own
//   kAtOnce    by different warpgroups, each on the whole tile: half as many turns, for products too small to fill the
//   card
//
// Epilogues: linear_epilogue.h.
#pragma once

#include "device.h"
#include "linear_epilogue.h"
#include "linear_stream.h"
#include "linear_weights.h"

namespace gtr::cuda {

enum class Partitions { kSingle, kInTurn, kAtOnce };

// kGroups: warpgroups that share a partition.
template <int kGroups_, int kColumns_, int kStages_, Partitions kPartitions_>
struct GroupTileShape {
  static constexpr int kGroups = kGroups_;
  static constexpr Partitions kPartitions = kPartitions_;
  static constexpr int kSlices = kPartitions == Partitions::kAtOnce ? kPartitionsBf16 : 1;
  static constexpr int kRows = 64 * kGroups;
  static constexpr int kColumns = kColumns_;
  static constexpr int kStages = kStages_;
  static constexpr int kSliceThreads = 4 * kWarp * kGroups;
  static constexpr int kThreads = kSlices * kSliceThreads;
  static constexpr int kSums = kColumns / 2;  // of a thread
  static constexpr int kRowBytes = 128;       // of both operands, in a stage
  static constexpr int kRowChunks = kRowBytes / 16;
  static constexpr int kStageRows = kRows + kColumns;
  static constexpr int kSliceBytes = kStageRows * kRowBytes;  // of a stage
  static constexpr int kStageBytes = kSlices * kSliceBytes;
  static constexpr int kRowsApart = kSliceThreads / kRowChunks;  // that a thread copies
  // 8 more than a multiple of 32: a half warp stores its pairs of sums without bank conflicts.
  static constexpr int kSumsWidth = kColumns + 8;
  static constexpr int64_t kRingBytes = int64_t{kStages} * kStageBytes;
  static constexpr int64_t kSumsBytes = int64_t{kRows} * kSumsWidth * 4;
  static constexpr int64_t kSharedBytes = (kRingBytes > kSumsBytes ? kRingBytes : kSumsBytes) + 1024;

  static_assert(kRows % kRowsApart == 0 && kColumns % kRowsApart == 0, "copies without a remainder");
  static_assert(kRowsApart % 8 == 0, "a thread's rows are swizzled alike");
  static_assert(kStages >= 3, "a stage under way beside the two that products read");
};

// The way through some partitions' steps: a stage's two, or the last one of a partition.
class GroupTileSteps {
 public:
  // Steps next .. middle - 1 of one partition, and middle .. end - 1 of another.
  __device__ GroupTileSteps(int next, int middle, int end) : next_(next), partition_end_(middle), end_(end) {}
  __device__ bool are_left() const { return next_ < end_; }
  __device__ bool are_left_of_partition() const { return next_ < partition_end_; }
  __device__ bool are_two() const { return next_ + 1 < partition_end_; }
  __device__ void advance() { next_ += are_two() ? 2 : 1; }
  __device__ void to_next_partition() { partition_end_ = end_; }
  __device__ int next() const { return next_; }

 private:
  int next_;
  int partition_end_;
  int end_;
};

// All that the threads of a slice take.
template <typename Shape>
__device__ __forceinline__ GroupTileSteps steps_of_slice(int64_t outputs, int steps, int slice) {
  const int middle = partition_start_bf16(outputs, steps, 1);
  if (Shape::kPartitions != Partitions::kAtOnce) return {0, middle, steps};
  return slice == 0 ? GroupTileSteps(0, middle, middle) : GroupTileSteps(middle, steps, steps);
}

// What a thread copies: chunk c of every kRowsApart-th row of both operands.
template <typename Shape>
class GroupTileCopies {
 public:
  __device__ GroupTileCopies(const void* weights, int64_t outputs, int steps, int tiles, int first_tile,
                             const GlobalRows& rows, int64_t first_row)
      : chunk_(static_cast<int>(threadIdx.x) % Shape::kRowChunks),
        steps_(steps_of_slice<Shape>(outputs, steps, static_cast<int>(threadIdx.x) / Shape::kSliceThreads)),
        stride_(rows.stride * int64_t{2 * Shape::kRowsApart}),
        tile_stride_(steps * kStepBytes * (Shape::kRowsApart / kTileColumns)) {
    const int row = static_cast<int>(threadIdx.x) % Shape::kSliceThreads / Shape::kRowChunks;
    const int64_t rows_left = rows.rows - first_row - row;
    const int tile = row / kTileColumns;
    const int tiles_left = tiles - first_tile - tile;
    // Of every kRowsApart-th row or tile. Where nothing is left nothing is read, but the address has to be one.
    rows_left_ = static_cast<int>(rows_left > Shape::kRows ? Shape::kRows : rows_left);
    columns_left_ = tiles_left * kTileColumns;
    x_ = reinterpret_cast<const unsigned char*>(rows.x) + (rows_left > 0 ? (first_row + row) * rows.stride * 2 : 0) +
         16 * chunk_ + steps_.next() * kStepRowBytes;
    weights_ = static_cast<const unsigned char*>(weights) +
               (tiles_left > 0 ? int64_t{first_tile + tile} * steps * kStepBytes : 0) +
               row % kTileColumns * kStepRowBytes + chunk_ / 4 * kStepBytes + chunk_ % 4 * 16 +
               int64_t{steps_.next()} * kStepBytes;
    to_ = static_cast<int>(threadIdx.x) / Shape::kSliceThreads * Shape::kSliceBytes + row * Shape::kRowBytes +
          16 * (chunk_ ^ row % 8);
  }

  // The next stage, if there is one, into `stage`; an empty group if there is none, so that waits count right.
  __device__ void fetch(unsigned char* stage) {
    if (!steps_.are_left_of_partition()) steps_.to_next_partition();
    if (steps_.are_left()) {
      const bool are_two = steps_.are_two();
      if (are_two || chunk_ < Shape::kRowChunks / 2) {
        unsigned char* to = stage + to_;
#pragma unroll
        for (int i = 0; i < Shape::kRows / Shape::kRowsApart; ++i) {
          const bool valid = i * Shape::kRowsApart < rows_left_;
          copy_async_16(to + i * Shape::kRowsApart * Shape::kRowBytes, valid ? x_ + i * stride_ : x_, valid);
        }
        to += Shape::kRows * Shape::kRowBytes;
#pragma unroll
        for (int i = 0; i < Shape::kColumns / Shape::kRowsApart; ++i) {
          const bool valid = i * Shape::kRowsApart < columns_left_;
          copy_async_16(to + i * Shape::kRowsApart * Shape::kRowBytes, valid ? weights_ + i * tile_stride_ : weights_,
                        valid);
        }
      }
      x_ += (are_two ? 2 : 1) * kStepRowBytes;
      weights_ += (are_two ? 2 : 1) * kStepBytes;
      steps_.advance();
    }
    copy_async_commit();
  }

 private:
  int chunk_;
  GroupTileSteps steps_;
  int64_t stride_;   // bytes between a thread's rows of x
  int tile_stride_;  // and of W
  int rows_left_;    // from the thread's first row of the tile on
  int columns_left_;
  int to_;
  const unsigned char* x_;
  const unsigned char* weights_;
};

// Block of Shape::kThreads with Shape::kSharedBytes; it computes rows first_row .. and column tiles first_tile .., as
// far as they exist, unless *cancelled is not 0. Launched by launch_dependent. weights: packed bf16. rows: as for
// streams, aligned to 16 bytes and whole steps long.
template <typename Shape, typename Epilogue>
__device__ __forceinline__ void group_tile_linear(const void* weights, int steps, int tiles, int64_t outputs,
                                                  const GlobalRows& rows, int64_t first_row, int first_tile,
                                                  const Epilogue& epilogue, const int32_t* cancelled) {
  dependents_launch();
  const int32_t is_cancelled = load_relaxed(cancelled);  // looked at when the first stages are on their way
  auto* const ring = dynamic_shared_1024<unsigned char>();
  GroupTileCopies<Shape> copies(weights, outputs, steps, tiles, first_tile, rows, first_row);
  dependency_wait();
#pragma unroll
  for (int stage = 0; stage < Shape::kStages - 2; ++stage) copies.fetch(ring + stage * Shape::kStageBytes);

  const int slice = static_cast<int>(threadIdx.x) / Shape::kSliceThreads;
  const int group = static_cast<int>(threadIdx.x) % Shape::kSliceThreads / (4 * kWarp);
  GroupTileSteps left = is_cancelled == 0 ? steps_of_slice<Shape>(outputs, steps, slice) : GroupTileSteps(0, 0, 0);
  // The slowest slice is the first: its partition is no shorter.
  GroupTileSteps turns = is_cancelled == 0 ? steps_of_slice<Shape>(outputs, steps, 0) : GroupTileSteps(0, 0, 0);
  int stage = 0;
  int filled = Shape::kStages - 2;
  const auto multiply_partition = [&](float(&sums)[Shape::kSums]) {
    for (; turns.are_left_of_partition(); turns.advance()) {
      copy_async_wait<Shape::kStages - 3>();
      fence_shared();
      // The stage's copies are there for all threads, and all have waited for the products of the stage before the
      // last.
      block_sync();
      const unsigned char* const at = ring + stage * Shape::kStageBytes + slice * Shape::kSliceBytes;
      const unsigned char* const a = at + group * 64 * Shape::kRowBytes;
      const unsigned char* const b = at + Shape::kRows * Shape::kRowBytes;
      if (left.are_left_of_partition()) {
        group_multiply_begin();
        group_multiply<Shape::kColumns>(sums, a, b, 0);
        group_multiply<Shape::kColumns>(sums, a, b, 1);
        if (left.are_two()) {
          group_multiply<Shape::kColumns>(sums, a, b, 2);
          group_multiply<Shape::kColumns>(sums, a, b, 3);
        }
        group_multiply_commit();
        left.advance();
      }
      copies.fetch(ring + filled * Shape::kStageBytes);
      group_multiply_wait<1>();
      stage = stage + 1 < Shape::kStages ? stage + 1 : 0;
      filled = filled + 1 < Shape::kStages ? filled + 1 : 0;
    }
    group_multiply_wait<0>();
  };
  float sums[Shape::kSums] = {};
  multiply_partition(sums);
  float first_sums[Shape::kPartitions == Partitions::kInTurn ? Shape::kSums : 1];
  if constexpr (Shape::kPartitions == Partitions::kInTurn) {
#pragma unroll
    for (int i = 0; i < Shape::kSums; ++i) {
      first_sums[i] = sums[i];
      sums[i] = 0.0f;
    }
    left.to_next_partition();
    turns.to_next_partition();
    multiply_partition(sums);
  }
  copy_async_wait<0>();  // a cancelled call has copies under way
  if (is_cancelled != 0) return;
  block_sync();  // the ring, which nobody reads or fills any more, becomes the tile of sums

  auto* const shared = reinterpret_cast<float*>(ring);
  const int row = group * 64 + warp_id() % 4 * 16 + lane_id() / 4;
  const auto each_pair = [&](auto&& visit) {
#pragma unroll
    for (int i = 0; i < Shape::kSums; i += 2) {
      visit(*reinterpret_cast<float2*>(shared + (row + i % 4 / 2 * 8) * Shape::kSumsWidth + i / 4 * 8 +
                                       2 * (lane_id() % 4)),
            i);
    }
  };
  static_assert(kPartitionsBf16 == 2, "the first partition's sums plus the second's");
  if constexpr (Shape::kPartitions == Partitions::kSingle) {
    // As if zeros were added, as they are elsewhere.
    each_pair([&](float2& at, int i) { at = make_float2(sums[i] + 0.0f, sums[i + 1] + 0.0f); });
  } else if constexpr (Shape::kPartitions == Partitions::kInTurn) {
    each_pair([&](float2& at, int i) { at = make_float2(first_sums[i] + sums[i], first_sums[i + 1] + sums[i + 1]); });
  } else {
    if (slice == 1) each_pair([&](float2& at, int i) { at = make_float2(sums[i], sums[i + 1]); });
    block_sync();
    if (slice == 0) each_pair([&](float2& at, int i) { at = make_float2(sums[i] + at.x, sums[i + 1] + at.y); });
  }
  block_sync();
  const int64_t first_column = int64_t{first_tile} * kTileColumns;
  finish_tile<Shape::kRows, Shape::kColumns, Shape::kThreads>(
      epilogue, shared, Shape::kSumsWidth, first_row, rows.rows - first_row, first_column, outputs - first_column);
}

}  // namespace gtr::cuda
