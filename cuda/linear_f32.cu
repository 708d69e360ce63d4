#include "linear_f32.h"

#include "launch_shape.h"

namespace gtr::cuda {
namespace {

constexpr int kStepQuads = kStepInputsF32 / 4;

// Inputs `input` .. input + 3 of a row into shared memory, zeros where there are none: by cp.async if rows.by_4, or at
// once by loads of single floats.
template <bool kBy4>
__device__ __forceinline__ void fetch_quad(float4* to, const FloatRows& rows, int64_t row, int64_t input) {
  const bool has_row = row < rows.rows;
  const float* from = rows.x + (has_row ? row * rows.stride : 0);
  if constexpr (kBy4) {
    const bool valid = has_row && input < rows.inputs;
    copy_async_16(to, from + (valid ? input : 0), valid);
  } else {
    const int64_t left = has_row ? rows.inputs - input : 0;
    float quad[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) quad[i] = i < left ? from[input + i] : 0.0f;
    *to = make_float4(quad[0], quad[1], quad[2], quad[3]);
  }
}

// The one order of four additions.
__device__ __forceinline__ float add_products(float4 x, float4 w, float sum) {
  sum = fmaf(x.x, w.x, sum);
  sum = fmaf(x.y, w.y, sum);
  sum = fmaf(x.z, w.z, sum);
  return fmaf(x.w, w.w, sum);
}

// kLaneRows: rows of a lane, which has one column and every fourth row. A stage of a warp: 512 bytes of W and 64 bytes
// of each row of x, shared by its lanes.
template <int kLaneRows_, int kStages_>
struct FloatStreamShape {
  static constexpr int kLaneRows = kLaneRows_;
  static constexpr int kStages = kStages_;
  static constexpr int kRows = 4 * kLaneRows;
  static constexpr int kThreads = kPartitionsF32 * kWarp;
  static constexpr int kStageQuads = kStepChunks + kRows * kStepQuads;
  static_assert(kRows * kStepQuads % kWarp == 0, "all lanes copy as much");
  static constexpr int64_t kRingBytes = int64_t{kPartitionsF32} * kStages * kStageQuads * 16;
  static constexpr int64_t kSharedBytes = kRingBytes + int64_t{kPartitionsF32} * kRows * kTileColumns * 4;
};

// A block has 8 by 8 groups of threads for each partition, a thread 8 x 8 of y: rows r + 8 i, columns c + 8 j.
struct FloatTileShape {
  static constexpr int kRows = 64;
  static constexpr int kColumns = 64;
  static constexpr int kStages = 3;
  static constexpr int kSliceThreads = 64;
  static constexpr int kThreads = kPartitionsF32 * kSliceThreads;
  static constexpr int kThreadRows = 8;
  static constexpr int kThreadColumns = 8;
  static constexpr int kStageRows = kRows * kStepQuads;
  static constexpr int kStageColumns = kColumns / kTileColumns * kStepChunks;
  static constexpr int kSliceQuads = kStageRows + kStageColumns;
  static constexpr int kStageQuads = kPartitionsF32 * kSliceQuads;
  static constexpr int kSumsWidth = kColumns + 8;
  static constexpr int64_t kSharedBytes = int64_t{kStages} * kStageQuads * 16;
  static_assert(kSharedBytes >= int64_t{kRows} * kSumsWidth * 4, "the sums lie where the stages were");
};

}  // namespace

// epilogue(rows W^T) for up to Shape::kRows rows, bound by the memory that W comes from: one warp per partition, each
// with a ring of stages under way. weights: packed f32 [tiles][steps][512 bytes]; rows.x f32 [rows.rows, rows.inputs].
// Launch: `tiles` blocks of Shape::kThreads, Shape::kSharedBytes; kBy4 as rows.by_4.
template <typename Shape, bool kBy4>
__global__ void __launch_bounds__(Shape::kThreads, 3)
    linear_f32_stream_kernel(const void* weights, int32_t steps, int64_t outputs, FloatRows rows,
                             LinearEpilogue epilogue, const int32_t* cancelled) {
  const int32_t is_cancelled = load_relaxed(cancelled);  // looked at when the weights are on their way
  const int64_t tile = static_cast<int64_t>(blockIdx.x);
  auto* const ring = dynamic_shared<float4>() + warp_id() * Shape::kStages * Shape::kStageQuads;
  auto* const all_sums = reinterpret_cast<float*>(dynamic_shared<unsigned char>() + Shape::kRingBytes);
  const auto* const packed = static_cast<const float4*>(weights) + tile * steps * kStepChunks + lane_id();
  const int first = partition_start<kPartitionsF32>(steps, warp_id());
  const int end = partition_start<kPartitionsF32>(steps, warp_id() + 1);

  const auto fetch = [&](int slot, int step) {
    if (step < end) {
      float4* const to = ring + slot * Shape::kStageQuads;
      copy_async_16(to + lane_id(), packed + int64_t{step} * kStepChunks, true);
#pragma unroll
      for (int j = 0; j < Shape::kRows * kStepQuads; j += kWarp) {
        const int i = j + lane_id();
        fetch_quad<kBy4>(to + kStepChunks + i, rows, i / kStepQuads,
                         int64_t{step} * kStepInputsF32 + i % kStepQuads * 4);
      }
    }
    copy_async_commit();
  };
  for (int slot = 0; slot < Shape::kStages - 1; ++slot) fetch(slot, first + slot);

  const int column = lane_id() % kTileColumns;
  const int first_row = lane_id() / kTileColumns;
  float sums[Shape::kLaneRows] = {};
  int slot = 0;
  int filled = Shape::kStages - 1;
  for (int step = first; step < end && is_cancelled == 0; ++step) {
    copy_async_wait<Shape::kStages - 2>();
    warp_sync();  // the slot is there for all lanes, and all have read the one before it
    fetch(filled, step + Shape::kStages - 1);
    const float4* const w = ring + slot * Shape::kStageQuads;
    const float4* const x = w + kStepChunks;
#pragma unroll
    for (int q = 0; q < kStepQuads; ++q) {
      const float4 of_column = w[q * kTileColumns + column];
#pragma unroll
      for (int i = 0; i < Shape::kLaneRows; ++i) {
        sums[i] = add_products(x[(first_row + 4 * i) * kStepQuads + q], of_column, sums[i]);
      }
    }
    slot = slot + 1 < Shape::kStages ? slot + 1 : 0;
    filled = filled + 1 < Shape::kStages ? filled + 1 : 0;
  }
  copy_async_wait<0>();  // a cancelled call has copies under way
  if (is_cancelled != 0) return;
#pragma unroll
  for (int i = 0; i < Shape::kLaneRows; ++i) {
    all_sums[(warp_id() * Shape::kRows + first_row + 4 * i) * kTileColumns + column] = sums[i];
  }
  block_sync();
  // Each thread adds the partitions of the elements that it is the first to see.
  for (int i = static_cast<int>(threadIdx.x); i < Shape::kRows * kTileColumns; i += Shape::kThreads) {
    float sum = all_sums[i];
#pragma unroll
    for (int p = 1; p < kPartitionsF32; ++p) sum += all_sums[p * Shape::kRows * kTileColumns + i];
    all_sums[i] = sum;
  }
  block_sync();
  finish_tile<Shape::kRows, kTileColumns, Shape::kThreads>(epilogue, all_sums, kTileColumns, 0, rows.rows,
                                                           tile * kTileColumns, outputs - tile * kTileColumns);
}

// The same for any number of rows, bound by arithmetic. A quarter of the threads works on each partition of the inputs.
// Launch: ceil(rows / 64) * column_blocks blocks, column_blocks = ceil(tiles / 8), of 256 threads,
// FloatTileShape::kSharedBytes. 96 KB and 256 threads of up to 255 registers are one block on a multiprocessor; its 8
// warps have 64 independent sums a thread, more than the latency of an FMA needs. A thread reads 16 times 16 bytes of
// shared memory for 256 FMA.
template <bool kBy4>
__global__ void __launch_bounds__(FloatTileShape::kThreads, 1)
    linear_f32_tile_kernel(const void* weights, int32_t steps, int32_t tiles, int64_t outputs, FloatRows rows,
                           int32_t column_blocks, LinearEpilogue epilogue, const int32_t* cancelled) {
  if (load_relaxed(cancelled) != 0) return;
  using Shape = FloatTileShape;
  const int block = static_cast<int>(blockIdx.x);
  const int64_t first_row = int64_t{block / column_blocks} * Shape::kRows;
  const int first_tile = block % column_blocks * (Shape::kColumns / kTileColumns);
  auto* const ring = dynamic_shared<float4>();
  const int thread = static_cast<int>(threadIdx.x) % Shape::kSliceThreads;
  const int slice = static_cast<int>(threadIdx.x) / Shape::kSliceThreads;
  const int first = partition_start<kPartitionsF32>(steps, slice);
  const int end = partition_start<kPartitionsF32>(steps, slice + 1);

  const auto fetch = [&](int stage, int step) {
    if (step < end) {
      float4* const to = ring + stage * Shape::kStageQuads + slice * Shape::kSliceQuads;
#pragma unroll
      for (int j = 0; j < Shape::kStageRows / Shape::kSliceThreads; ++j) {
        const int i = j * Shape::kSliceThreads + thread;
        fetch_quad<kBy4>(to + i, rows, first_row + i / kStepQuads, int64_t{step} * kStepInputsF32 + i % kStepQuads * 4);
      }
#pragma unroll
      for (int j = 0; j < Shape::kStageColumns / Shape::kSliceThreads; ++j) {
        const int i = j * Shape::kSliceThreads + thread;
        const int tile = first_tile + i / kStepChunks;
        const bool valid = tile < tiles;
        copy_async_16(to + Shape::kStageRows + i,
                      static_cast<const float4*>(weights) + (valid ? (int64_t{tile} * steps + step) * kStepChunks : 0) +
                          i % kStepChunks,
                      valid);
      }
    }
    copy_async_commit();
  };
  for (int stage = 0; stage < Shape::kStages - 1; ++stage) fetch(stage, first + stage);

  const int row = thread / 8;
  const int column = thread % 8;
  float sums[Shape::kThreadRows][Shape::kThreadColumns] = {};
  const int most_steps = partition_start<kPartitionsF32>(steps, 1);
  int stage = 0;
  int filled = Shape::kStages - 1;
  for (int i = 0; i < most_steps; ++i) {
    copy_async_wait<Shape::kStages - 2>();
    block_sync();
    fetch(filled, first + i + Shape::kStages - 1);
    if (first + i < end) {
      const float4* const x = ring + stage * Shape::kStageQuads + slice * Shape::kSliceQuads + row * kStepQuads;
      const float4* const w =
          ring + stage * Shape::kStageQuads + slice * Shape::kSliceQuads + Shape::kStageRows + column;
#pragma unroll 1
      for (int q = 0; q < kStepQuads; ++q) {
        float4 of_rows[Shape::kThreadRows];
#pragma unroll
        for (int r = 0; r < Shape::kThreadRows; ++r) of_rows[r] = x[8 * r * kStepQuads + q];
#pragma unroll
        for (int c = 0; c < Shape::kThreadColumns; ++c) {
          const float4 of_column = w[c * kStepChunks + q * kTileColumns];
#pragma unroll
          for (int r = 0; r < Shape::kThreadRows; ++r) sums[r][c] = add_products(of_rows[r], of_column, sums[r][c]);
        }
      }
    }
    stage = stage + 1 < Shape::kStages ? stage + 1 : 0;
    filled = filled + 1 < Shape::kStages ? filled + 1 : 0;
  }

  auto* const shared = dynamic_shared<float>();
  for (int p = 0; p < kPartitionsF32; ++p) {
    block_sync();  // at first: the ring, with no copies under way any more, becomes the tile of sums
    if (p != slice) continue;
#pragma unroll
    for (int r = 0; r < Shape::kThreadRows; ++r) {
#pragma unroll
      for (int c = 0; c < Shape::kThreadColumns; ++c) {
        float* const at = shared + (row + 8 * r) * Shape::kSumsWidth + column + 8 * c;
        *at = p == 0 ? sums[r][c] : *at + sums[r][c];
      }
    }
  }
  block_sync();
  const int64_t first_column = int64_t{first_tile} * kTileColumns;
  finish_tile<Shape::kRows, Shape::kColumns, Shape::kThreads>(
      epilogue, shared, Shape::kSumsWidth, first_row, rows.rows - first_row, first_column, outputs - first_column);
}

namespace {

template <typename Shape>
void launch_stream(Queue& queue, const Linear& linear, const FloatRows& rows, const LinearEpilogue& epilogue,
                   const int32_t* cancelled) noexcept {
  const dim3 grid(static_cast<unsigned>(linear.tiles));
  const void* weights = linear.weights;
  if (rows.by_4) {
    launch<linear_f32_stream_kernel<Shape, true>>(queue, grid, Shape::kThreads, Shape::kSharedBytes, weights,
                                                  linear.steps, linear.outputs, rows, epilogue, cancelled);
  } else {
    launch<linear_f32_stream_kernel<Shape, false>>(queue, grid, Shape::kThreads, Shape::kSharedBytes, weights,
                                                   linear.steps, linear.outputs, rows, epilogue, cancelled);
  }
}

template <bool kBy4>
void launch_tiles(Queue& queue, const Linear& linear, const FloatRows& rows, const LinearEpilogue& epilogue,
                  const int32_t* cancelled) noexcept {
  using Shape = FloatTileShape;
  const int64_t column_blocks = divide_up(linear.tiles, Shape::kColumns / kTileColumns);
  const dim3 grid(static_cast<unsigned>(divide_up(rows.rows, Shape::kRows) * column_blocks));
  launch<linear_f32_tile_kernel<kBy4>>(queue, grid, Shape::kThreads, Shape::kSharedBytes,
                                       static_cast<const void*>(linear.weights), linear.steps, linear.tiles,
                                       linear.outputs, rows, static_cast<int32_t>(column_blocks), epilogue, cancelled);
}

}  // namespace

void launch_linear_f32(Queue& queue, const Linear& linear, const FloatRows& rows, const LinearEpilogue& epilogue,
                       const int32_t* cancelled) noexcept {
  // 15 stages of 512 bytes for each of 4 warps: 30 KB of W on their way in a block.
  using FewRows = FloatStreamShape<2, 16>;
  using MoreRows = FloatStreamShape<4, 12>;
  static_assert(MoreRows::kRows == kStreamedRowsF32, "the border of the regimes");
  if (rows.rows <= FewRows::kRows) {
    launch_stream<FewRows>(queue, linear, rows, epilogue, cancelled);
  } else if (rows.rows <= MoreRows::kRows) {
    launch_stream<MoreRows>(queue, linear, rows, epilogue, cancelled);
  } else if (rows.by_4) {
    launch_tiles<true>(queue, linear, rows, epilogue, cancelled);
  } else {
    launch_tiles<false>(queue, linear, rows, epilogue, cancelled);
  }
}

}  // namespace gtr::cuda
