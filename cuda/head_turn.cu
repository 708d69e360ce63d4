#include "head_turn.h"

#include <algorithm>

#include "device.h"
#include "head_network.h"
#include "layer_norm_row.inl"
#include "linear_weights.h"
#include "noise.inl"

namespace gtr::cuda {
namespace {

constexpr int kWarps = 8;
constexpr int kThreads = kWarps * kWarp;
// Sums over the final layer's inputs are cut into two slices for two warps, whatever the number of rows.
constexpr int kSlices = 2;
constexpr int kTilesAtOnce = kWarps / kSlices;
constexpr int kStepQuads = kStepInputsF32 / kQuad;

// A block's rows are first .. first + kRows - 1; row i has the batch rows of_row[2 i] and, guided, of_row[2 i + 1], -1
// where there is none.
template <int kRows>
struct TurnRows {
  int64_t first;
  int32_t of_row[2 * kRows];
};

// Of row r, in one half or the other.
__device__ __forceinline__ int32_t batch_row_of(const ChainRows& chain, Batch batch, int64_t r, int which_half) {
  if (r >= batch.rows) return -1;
  if (which_half == 0) return static_cast<int32_t>(r);
  const int32_t half = chain.rows[r].half;
  return half >= 0 ? batch.rows + half : -1;
}

template <int kRows>
__device__ __forceinline__ TurnRows<kRows> rows_of_block(const ChainRows& chain, Batch batch) {
  TurnRows<kRows> rows;
  rows.first = static_cast<int64_t>(blockIdx.x) * kRows;
#pragma unroll
  for (int b = 0; b < 2 * kRows; ++b) rows.of_row[b] = batch_row_of(chain, batch, rows.first + b / 2, b % 2);
  return rows;
}

// sum + x . w, in ascending order.
__device__ __forceinline__ float add_products(float4 x, float4 w, float sum) {
  sum = fmaf(x.x, w.x, sum);
  sum = fmaf(x.y, w.y, sum);
  sum = fmaf(x.z, w.z, sum);
  return fmaf(x.w, w.w, sum);
}

// Warp. The sum over the lanes of a column, l % 8.
__device__ __forceinline__ float column_sum(float value) {
  static_assert(kTileColumns == 8 && kStepQuads == 4, "four lanes have a column");
  value += shuffle_xor(value, 8);
  return value + shuffle_xor(value, 16);
}

// In the order of operations of MAR's published code, which the sampled pictures depend on to rounding.
// v: the head's second output, of the conditional half.
__device__ __forceinline__ float posterior(const StepCoefficients& step, float clip, float epsilon, float v, float x,
                                           bool with_noise, float noise, float temperature) {
  float x0 = step.reciprocal_root * x - step.reciprocal_root_minus_1 * epsilon;
  if (clip > 0.0f) x0 = x0 > clip ? clip : x0 < -clip ? -clip : x0;  // a NaN stays one
  float next = step.x0_coefficient * x0 + step.x_coefficient * x;
  if (with_noise) {
    const float fraction = (v + 1.0f) / 2.0f;
    const float log_variance = fraction * step.max_log_variance + (1.0f - fraction) * step.min_log_variance;
    next += expf(0.5f * log_variance) * noise * temperature;
  }
  return next;
}

// normed = n(stream) (1 + scale) + shift of the block's batch rows, a warp each.
template <int kRows, bool kVector>
__device__ __forceinline__ void normalise(const HeadTurn& p, const ChainRows& chain, int64_t width, float epsilon) {
  static_assert(2 * kRows <= kWarps, "a warp for each half of each row");
  const int b = warp_id();
  const int64_t row =
      b < 2 * kRows ? batch_row_of(chain, p.now, static_cast<int64_t>(blockIdx.x) * kRows + b / 2, b % 2) : -1;
  if (row < 0) return;
  const float* const x = p.now_stream + row * width;
  const float* const shift = p.modulations + row * 2 * width;
  const float* const scale = shift + width;
  const auto load = [&](int, int64_t quad) { return load_quad<kVector>(x, width, quad); };
  const NormMoments moments = norm_moments<0>(width, epsilon, load);
  for_quads<0>(width, [&](int step, int64_t quad) {
    store_quad<kVector>(p.normed + row * width, width, quad,
                        modulated(normalised(load(step, quad), moments), load_quad<kVector>(scale, width, quad),
                                  load_quad<kVector>(shift, width, quad)));
  });
}

// predictions = normed W^T + b of the block's batch rows: a warp takes 8 columns and a slice of the inputs, a lane
// every fourth quad of them for one column.
template <int kRows, bool kVector>
__device__ __forceinline__ void predict(const HeadTurn& p, const ChainRows& chain, const TurnRows<kRows>& rows,
                                        const TurnWeights& weights, int64_t width) {
  const int64_t columns = 2 * static_cast<int64_t>(chain.channels);
  GTR_SHARED(float, partial, kWarps * 2 * kRows * kTileColumns);
  const int slice = warp_id() % kSlices;
  const int middle = (weights.steps + 1) / kSlices;
  const int begin = slice == 0 ? 0 : middle;
  const int end = slice == 0 ? middle : weights.steps;
  for (int first_tile = 0; first_tile < weights.tiles; first_tile += kTilesAtOnce) {
    const int tile = first_tile + warp_id() / kSlices;
    float sums[2 * kRows] = {};
    if (tile < weights.tiles) {
      const float4* const packed = weights.packed + static_cast<int64_t>(tile) * weights.steps * kStepChunks;
#pragma unroll 4
      for (int step = begin; step < end; ++step) {
        const float4 w = packed[static_cast<int64_t>(step) * kStepChunks + lane_id()];
        const int64_t quad = static_cast<int64_t>(step) * kStepQuads + lane_id() / kTileColumns;
#pragma unroll
        for (int b = 0; b < 2 * kRows; ++b) {
          if (rows.of_row[b] >= 0) {
            sums[b] = add_products(load_quad<kVector>(p.normed + rows.of_row[b] * width, width, quad), w, sums[b]);
          }
        }
      }
    }
#pragma unroll
    for (int b = 0; b < 2 * kRows; ++b) {
      const float sum = column_sum(sums[b]);
      if (lane_id() < kTileColumns) partial[(warp_id() * 2 * kRows + b) * kTileColumns + lane_id()] = sum;
    }
    block_sync();
    for (int i = static_cast<int>(threadIdx.x); i < kTilesAtOnce * 2 * kRows * kTileColumns; i += kThreads) {
      const int of_tile = i / (2 * kRows * kTileColumns);
      const int b = i / kTileColumns % (2 * kRows);
      const int64_t column = static_cast<int64_t>(first_tile + of_tile) * kTileColumns + i % kTileColumns;
      const int32_t row = batch_row_of(chain, p.now, rows.first + b / 2, b % 2);
      if (column < columns && row >= 0) {
        const int at = of_tile * kSlices * 2 * kRows * kTileColumns + i % (2 * kRows * kTileColumns);
        p.predictions[row * columns + column] =
            partial[at] + partial[at + 2 * kRows * kTileColumns] + weights.bias[column];
      }
    }
    block_sync();
  }
}

// One reverse step of four channels of a row.
__device__ __forceinline__ void update(const HeadTurn& p, const ChainRows& chain, int64_t r, uint32_t group) {
  const ChainRow row = chain.rows[r];
  if (row.place < 0) return;  // left out
  float noise[kNoiseChannels] = {};
  // Draw 0 was the row's start; its own first step, index steps - 1, takes draw 1.
  if (p.index > 0) {
    noise_block(row.seed, row.image, row.cell, static_cast<uint32_t>(row.steps - p.index), group, noise);
  }
  const StepCoefficients step = chain.coefficients[row.table + p.index];
  const int64_t channels = chain.channels;
  const float* const conditional = p.predictions + r * 2 * channels;
  const float* const unconditional = p.predictions + (static_cast<int64_t>(p.now.rows) + row.half) * 2 * channels;
#pragma unroll
  for (int i = 0; i < kNoiseChannels; ++i) {
    const int64_t c = static_cast<int64_t>(group) * kNoiseChannels + i;
    if (c >= channels) break;
    float epsilon = conditional[c];
    if (row.half >= 0) {
      const float base = unconditional[c];
      epsilon = base + row.cfg * (epsilon - base);
    }
    float& x = chain.x[r * channels + c];
    x = posterior(step, chain.parameters->x0_clip, epsilon, conditional[channels + c], x, p.index > 0, noise[i],
                  row.temperature);
  }
}

// next_stream = x W^T + b of the block's rows, the same for both halves: a warp takes 8 columns at a time.
template <int kRows>
__device__ __forceinline__ void project(const HeadTurn& p, const ChainRows& chain, const TurnRows<kRows>& rows,
                                        const TurnWeights& weights, int64_t width) {
  for (int tile = warp_id(); tile < weights.tiles; tile += kWarps) {
    const float4* const packed = weights.packed + static_cast<int64_t>(tile) * weights.steps * kStepChunks;
    const int64_t column = static_cast<int64_t>(tile) * kTileColumns + lane_id();
    float sums[kRows] = {};
    for (int step = 0; step < weights.steps; ++step) {
      const float4 w = packed[static_cast<int64_t>(step) * kStepChunks + lane_id()];
      const int64_t quad = static_cast<int64_t>(step) * kStepQuads + lane_id() / kTileColumns;
#pragma unroll
      for (int i = 0; i < kRows; ++i) {
        if (rows.of_row[2 * i] < 0) continue;
        sums[i] = add_products(load_quad<false>(chain.x + rows.of_row[2 * i] * chain.channels, chain.channels, quad), w,
                               sums[i]);
      }
    }
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
      const float sum = column_sum(sums[i]);
      if (lane_id() >= kTileColumns || column >= width || rows.of_row[2 * i] < 0) continue;
      const float value = sum + weights.bias[column];
      p.next_stream[rows.of_row[2 * i] * width + column] = value;
      if (rows.of_row[2 * i + 1] >= 0) p.next_stream[rows.of_row[2 * i + 1] * width + column] = value;
    }
  }
}

// The turn of kRows rows. kVector: width is a multiple of 4. Launch: ceil(max(now.rows, next.rows) / kRows) blocks of
// 256 threads. The number of rows of a block changes no bit.
//
// A block reads the final layer's weights (196 KB for MAR-H) and those of the input projection (98 KB), which come from
// L2 for all blocks but the first: few rows spread over the multiprocessors, many share a block's reads.
template <int kRows, bool kVector>
__global__ void __launch_bounds__(kThreads, 2)
    head_turn_kernel(HeadTurn p, ChainRows chain, TurnWeights final_layer, TurnWeights input_projection, int64_t width,
                     float epsilon) {
  if (load_relaxed(chain.cancelled) != 0) return;
  const TurnRows<kRows> now = rows_of_block<kRows>(chain, p.now);
  if (now.first < p.now.rows) {
    normalise<kRows, kVector>(p, chain, width, epsilon);
    block_sync();
    predict<kRows, kVector>(p, chain, now, final_layer, width);
    const int groups = (chain.channels + kNoiseChannels - 1) / kNoiseChannels;
    for (int i = static_cast<int>(threadIdx.x); i < kRows * groups; i += kThreads) {
      const int64_t r = now.first + i / groups;
      if (r < p.now.rows) update(p, chain, r, static_cast<uint32_t>(i % groups));
    }
    block_sync();
  }
  if (now.first < p.next.rows) project(p, chain, rows_of_block<kRows>(chain, p.next), input_projection, width);
}

TurnWeights weights_of(const Linear& linear) noexcept {
  return {static_cast<const float4*>(linear.weights), linear.bias, linear.steps, linear.tiles};
}

template <int kRows, bool kVector>
void launch_turn(Context& context, const Head& head, const ChainRows& chain, const HeadTurn& turn) noexcept {
  const int64_t rows = std::max(turn.now.rows, turn.next.rows);
  launch<head_turn_kernel<kRows, kVector>>(context.queue, dim3(static_cast<unsigned>((rows + kRows - 1) / kRows)),
                                           kThreads, 0, turn, chain, weights_of(head.layer(HeadLayer::kFinalLinear)),
                                           weights_of(head.layer(HeadLayer::kInputProjection)),
                                           int64_t{head.shape.width}, norm_epsilon(kHeadNormEpsilon));
}

template <int kRows>
void launch_turn(Context& context, const Head& head, const ChainRows& chain, const HeadTurn& turn) noexcept {
  if (head.shape.width % kQuad == 0) {
    launch_turn<kRows, true>(context, head, chain, turn);
  } else {
    launch_turn<kRows, false>(context, head, chain, turn);
  }
}

}  // namespace

void turn(Context& context, const Head& head, const ChainRows& chain, const HeadTurn& turn) noexcept {
  const int64_t rows = std::max(turn.now.rows, turn.next.rows);
  const int64_t multiprocessors = context.limits->multiprocessors;
  if (rows <= multiprocessors) {
    launch_turn<1>(context, head, chain, turn);
  } else if (rows <= 2 * multiprocessors) {
    launch_turn<2>(context, head, chain, turn);
  } else {
    launch_turn<4>(context, head, chain, turn);
  }
}

}  // namespace gtr::cuda
