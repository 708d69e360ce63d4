#include "head_turn.h"

#include <algorithm>

#include "device.h"
#include "head_network.h"
#include "layer_norm_row.inl"
#include "linear_weights.h"
#include "noise.inl"

namespace gtr::cuda {
namespace {

constexpr int kWarps = 16;
constexpr int kThreads = kWarps * kWarp;
// Column tiles of the final layer that are summed at a time: 32 columns, which is all of 16 channels, and a lane each.
constexpr int kTiles = 4;
constexpr int kColumns = kTiles * kTileColumns;
constexpr int kStepQuads = kStepInputsF32 / kQuad;
static_assert(kColumns == kWarp && kStepQuads == kTiles, "four lanes have a column, and four tiles a lane each of it");

// Rows that stay in registers while they are normalised: up to 1536 elements.
constexpr int kRowSteps = 3;

// A block's rows are first_row() + 0 .. kRows - 1. Its batch rows are numbered 2 i, of row i, and 2 i + 1, of row i's
// unconditional half.
template <int kRows>
__device__ __forceinline__ int64_t first_row() {
  return static_cast<int64_t>(blockIdx.x) * kRows;
}

// Where in the batch row r or its half lies, -1 if it is not there.
__device__ __forceinline__ int32_t batch_row_of(Batch batch, int64_t r, bool is_half, int32_t half) {
  if (r >= batch.rows) return -1;
  if (!is_half) return static_cast<int32_t>(r);
  return half >= 0 ? batch.rows + half : -1;
}

// What the update of a row needs. Read early, by threads that have nothing else to do.
struct TurnRow {
  bool updated;  // it is under way, and not left out
  int32_t half;
  float cfg;
  float temperature;
  float clip;
  StepCoefficients step;
};

// A block's dynamic shared memory, in floats.
template <int kRows, bool kRowsInShared>
struct TurnShared {
  int32_t normed_width;       // of whole steps
  int32_t predictions_width;  // of whole tiles
  int32_t x_width;            // of whole steps

  __host__ __device__ TurnShared(const TurnWeights& final_layer, const TurnWeights& input_projection)
      : normed_width(final_layer.steps * kStepInputsF32),
        predictions_width(final_layer.tiles * kTileColumns),
        x_width(input_projection.steps * kStepInputsF32) {}

  // Host.
  int64_t bytes() const {
    const int64_t of_rows = kRowsInShared ? 2 * kRows * (int64_t{normed_width} + predictions_width) : 0;
    return (kPartial + 2 * kRows * int64_t{x_width} + of_rows) * static_cast<int64_t>(sizeof(float));
  }

  // [kWarps][2 kRows][kColumns]: what each warp adds to the predictions.
  __device__ __forceinline__ float* partial() const { return dynamic_shared<float>(); }
  // [kRows][x_width], zeros beyond the channels.
  __device__ __forceinline__ float* x() const { return partial() + kPartial; }
  __device__ __forceinline__ float* noise() const { return x() + kRows * x_width; }
  // Of batch row b; where rows are not in shared memory, of the step's batch row `row`.
  __device__ __forceinline__ float* normed(const HeadTurn& p, int b, int64_t row) const {
    if constexpr (kRowsInShared) return noise() + kRows * x_width + b * normed_width;
    return p.normed + row * normed_width;
  }
  __device__ __forceinline__ float* predictions(const HeadTurn& p, int b, int64_t row) const {
    if constexpr (kRowsInShared) {
      return noise() + kRows * x_width + 2 * kRows * normed_width + b * predictions_width;
    }
    return p.predictions + row * predictions_width;
  }

 private:
  static constexpr int kPartial = kWarps * 2 * kRows * kColumns;
};

// sum + x . w, in ascending order.
__device__ __forceinline__ float add_products(float4 x, float4 w, float sum) {
  sum = fmaf(x.x, w.x, sum);
  sum = fmaf(x.y, w.y, sum);
  sum = fmaf(x.z, w.z, sum);
  return fmaf(x.w, w.w, sum);
}

// Warp. The sum over the lanes of a column, l % 8.
__device__ __forceinline__ float column_sum(float value) {
  value += shuffle_xor(value, 8);
  return value + shuffle_xor(value, 16);
}

// Warp. Four tiles' columns, each of which four lanes have a part of: the sum of column l of all of them for lane l.
__device__ __forceinline__ float own_column_sum(float tile0, float tile1, float tile2, float tile3) {
  const bool upper = lane_id() >= 16;
  const float even = (upper ? tile2 : tile0) + shuffle_xor(upper ? tile0 : tile2, 16);
  const float odd = (upper ? tile3 : tile1) + shuffle_xor(upper ? tile1 : tile3, 16);
  const bool is_odd = lane_id() / 8 % 2 == 1;
  return (is_odd ? odd : even) + shuffle_xor(is_odd ? even : odd, 8);
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

// Asks for the weights' lines that this block is to bring to L2; each block brings some, and all need them.
__device__ __forceinline__ void prefetch(const TurnWeights& weights) {
  constexpr int64_t kLineBytes = 128;
  const auto* const bytes = reinterpret_cast<const unsigned char*>(weights.packed);
  const int64_t lines = int64_t{weights.tiles} * weights.steps * (kStepBytes / kLineBytes);
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < lines;
       i += static_cast<int64_t>(gridDim.x) * kThreads) {
    prefetch_l2(bytes + i * kLineBytes);
  }
}

// The block's rows as they are before the step: x, and what the update needs. The last warps draw the noise: where few
// warps normalise, these have nothing else to do.
template <int kRows, typename Shared>
__device__ __forceinline__ void begin_rows(const HeadTurn& p, const ChainRows& chain, const Shared& shared,
                                           TurnRow (&turn_rows)[kRows]) {
  const int64_t first = first_row<kRows>();
  const int64_t rows = p.now.rows < p.next.rows ? p.next.rows : p.now.rows;
  for (int i = static_cast<int>(threadIdx.x); i < kRows * shared.x_width; i += kThreads) {
    const int64_t r = first + i / shared.x_width;
    const int c = i % shared.x_width;
    shared.x()[i] = r < rows && c < chain.channels ? chain.x[r * chain.channels + c] : 0.0f;
  }
  const int groups = (chain.channels + kNoiseChannels - 1) / kNoiseChannels;
  for (int i = kThreads - 1 - static_cast<int>(threadIdx.x); i < kRows * groups; i += kThreads) {
    const int64_t r = first + i / groups;
    const int group = i % groups;
    TurnRow turn_row = {};
    turn_row.half = -1;
    if (r < rows) {
      const ChainRow row = chain.rows[r];
      turn_row.updated = r < p.now.rows && row.place >= 0;
      turn_row.half = row.half;
      if (turn_row.updated && group == 0) {
        turn_row.cfg = row.cfg;
        turn_row.temperature = row.temperature;
        turn_row.clip = chain.parameters->x0_clip;
        turn_row.step = chain.coefficients[row.table + p.index];
      }
      // Draw 0 was the row's start; its own first step, index steps - 1, takes draw 1.
      if (turn_row.updated && p.index > 0) {
        float noise[kNoiseChannels];
        noise_block(row.seed, row.image, row.cell, static_cast<uint32_t>(row.steps - p.index),
                    static_cast<uint32_t>(group), noise);
        float* const to = shared.noise() + i / groups * shared.x_width + group * kNoiseChannels;
#pragma unroll
        for (int c = 0; c < kNoiseChannels; ++c) to[c] = noise[c];
      }
    }
    if (group == 0) turn_rows[i / groups] = turn_row;
  }
}

// normed = n(stream) (1 + scale) + shift of the block's batch rows, followed by zeros, by as many warps for each as
// there are. Ends with a block_sync.
template <int kRows, bool kInRegisters, typename Shared>
__device__ __forceinline__ void normalise(const HeadTurn& p, const ChainRows& chain, const Shared& shared,
                                          int64_t width, float epsilon) {
  constexpr int kTeam = 2 * kRows * kNormWarps <= kWarps ? kNormWarps : kWarps / (2 * kRows);
  GTR_SHARED(NormSums, sums, kWarps / kTeam);
  const int b = warp_id() / kTeam;
  const int rank = warp_id() % kTeam;
  const int64_t r = first_row<kRows>() + b / 2;
  const bool may_be_there = b < 2 * kRows && r < p.now.rows;
  const int32_t row = may_be_there ? batch_row_of(p.now, r, b % 2 == 1, b % 2 == 1 ? chain.rows[r].half : -1) : -1;
  const int64_t at = row < 0 ? 0 : row;
  const int64_t own_width = row < 0 ? 0 : width;  // warps without a row go through an empty one
  const float* const x = p.now_stream + at * width;
  const float* const shift = p.modulations + at * 2 * width;
  const float* const scale = shift + width;
  float* const y = shared.normed(p, b, at);
  if constexpr (kInRegisters) {
    constexpr int kHeld = kRowSteps * kNormWarps / kTeam;
    float4 own[kHeld], scales[kHeld], shifts[kHeld];
    for_quads<kTeam, kRowSteps>(rank, own_width, [&](int held, int, int64_t quad) {
      own[held] = load_quad<true>(x, width, quad);
      scales[held] = load_quad<true>(scale, width, quad);
      shifts[held] = load_quad<true>(shift, width, quad);
    });
    const NormMoments moments = norm_moments<kTeam, kRowSteps, true>(rank, own_width, epsilon, sums[b],
                                                                     [&](int held, int64_t) { return own[held]; });
    for_quads<kTeam, kRowSteps>(rank, own_width, [&](int held, int, int64_t quad) {
      store_quad<true>(y, width, quad, modulated(normalised(own[held], moments), scales[held], shifts[held]));
    });
  } else {
    const auto load = [&](int, int64_t quad) { return load_quad<false>(x, width, quad); };
    const NormMoments moments = norm_moments<kTeam, 0, false>(rank, own_width, epsilon, sums[b], load);
    for_quads<kTeam, 0>(rank, own_width, [&](int held, int, int64_t quad) {
      store_quad<false>(y, width, quad,
                        modulated(normalised(load(held, quad), moments), load_quad<false>(scale, width, quad),
                                  load_quad<false>(shift, width, quad)));
    });
  }
  const int64_t end = row < 0 ? 0 : shared.normed_width;
  for (int64_t i = own_width + rank * kWarp + lane_id(); i < end; i += kTeam * kWarp) y[i] = 0.0f;
  block_sync();
}

// predictions = normed W^T + b of the block's batch rows: warp w takes the steps w, w + kWarps and so on for four tiles
// at a time, so that it reads a row once for all of them; a lane takes every fourth quad for a column of each tile.
// Ends with a block_sync.
template <int kRows, typename Shared>
__device__ __forceinline__ void predict(const HeadTurn& p, const Shared& shared, const TurnWeights& weights,
                                        const TurnRow (&turn_rows)[kRows]) {
  constexpr int kBatchRows = 2 * kRows;
  constexpr int kSteps = kRows == 4 ? 2 : 3;  // whose weights are on their way at a time
  static_assert(kBatchRows * kColumns <= kThreads, "a thread for each prediction");
  const int of_sum = static_cast<int>(threadIdx.x);
  const int b_of_sum = of_sum / kColumns;
  const float* normed[kBatchRows];
#pragma unroll
  for (int b = 0; b < kBatchRows; ++b) {
    // A batch row that is not there is computed all the same, of anything, and looked at by nobody.
    const int32_t row = batch_row_of(p.now, first_row<kRows>() + b / 2, b % 2 == 1, turn_rows[b / 2].half);
    normed[b] = shared.normed(p, b, row < 0 ? first_row<kRows>() : row);
  }
  for (int first_tile = 0; first_tile < weights.tiles; first_tile += kTiles) {
    const int column = first_tile * kTileColumns + of_sum % kColumns;
    const bool has_column = b_of_sum < kBatchRows && column < shared.predictions_width;
    const float bias = has_column ? weights.bias[column] : 0.0f;
    float sums[kTiles][kBatchRows] = {};
    for (int start = warp_id(); start < weights.steps; start += kSteps * kWarps) {
      float4 w[kSteps][kTiles];
#pragma unroll
      for (int s = 0; s < kSteps; ++s) {
        const int step = start + s * kWarps;
#pragma unroll
        for (int t = 0; t < kTiles; ++t) {
          w[s][t] = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
          if (step < weights.steps && first_tile + t < weights.tiles) {
            w[s][t] =
                weights.packed[(static_cast<int64_t>(first_tile + t) * weights.steps + step) * kStepChunks + lane_id()];
          }
        }
      }
#pragma unroll
      for (int s = 0; s < kSteps; ++s) {
        const int step = start + s * kWarps;
        if (step >= weights.steps) break;
        const int64_t quad = static_cast<int64_t>(step) * kStepQuads + lane_id() / kTileColumns;
#pragma unroll
        for (int b = 0; b < kBatchRows; ++b) {
          const float4 x = load_quad<true>(normed[b], shared.normed_width, quad);
#pragma unroll
          for (int t = 0; t < kTiles; ++t) sums[t][b] = add_products(x, w[s][t], sums[t][b]);
        }
      }
    }
#pragma unroll
    for (int b = 0; b < kBatchRows; ++b) {
      shared.partial()[(warp_id() * kBatchRows + b) * kColumns + lane_id()] =
          own_column_sum(sums[0][b], sums[1][b], sums[2][b], sums[3][b]);
    }
    block_sync();
    if (has_column) {
      const int64_t r = first_row<kRows>() + b_of_sum / 2;
      const int32_t row = batch_row_of(p.now, r, b_of_sum % 2 == 1, turn_rows[b_of_sum / 2].half);
      float sum = shared.partial()[of_sum];
#pragma unroll
      for (int w = 1; w < kWarps; ++w) sum += shared.partial()[w * kBatchRows * kColumns + of_sum];
      if (row >= 0) shared.predictions(p, b_of_sum, row)[column] = sum + bias;
    }
    block_sync();
  }
}

// One reverse step of the block's rows, four channels of one of them a thread. Ends with a block_sync.
template <int kRows, typename Shared>
__device__ __forceinline__ void update(const HeadTurn& p, const ChainRows& chain, const Shared& shared,
                                       const TurnRow (&turn_rows)[kRows]) {
  const int channels = chain.channels;
  for (int i = static_cast<int>(threadIdx.x); i < kRows * channels; i += kThreads) {
    const int of_row = i / channels;
    const int c = i % channels;
    const TurnRow& row = turn_rows[of_row];
    if (!row.updated) continue;
    const int64_t r = first_row<kRows>() + of_row;
    const float* const conditional = shared.predictions(p, 2 * of_row, r);
    float epsilon = conditional[c];
    if (row.half >= 0) {
      const float base = shared.predictions(p, 2 * of_row + 1, int64_t{p.now.rows} + row.half)[c];
      epsilon = base + row.cfg * (epsilon - base);
    }
    float& x = shared.x()[of_row * shared.x_width + c];
    const float noise = p.index > 0 ? shared.noise()[of_row * shared.x_width + c] : 0.0f;
    x = posterior(row.step, row.clip, epsilon, conditional[channels + c], x, p.index > 0, noise, row.temperature);
    chain.x[r * channels + c] = x;
  }
  block_sync();
}

// next_stream = x W^T + b of the block's rows, the same for both halves: a warp takes some tiles of 8 columns at a
// time, so that all their weights are on their way at once.
template <int kRows, typename Shared>
__device__ __forceinline__ void project(const HeadTurn& p, const Shared& shared, const TurnWeights& weights,
                                        int64_t width, const TurnRow (&turn_rows)[kRows]) {
  constexpr int kProjected = 6;
  constexpr int kStores = (2 * kRows + 3) / 4;  // each by four groups of lanes, for a batch row each
  int32_t row[kStores];
#pragma unroll
  for (int s = 0; s < kStores; ++s) {
    const int b = 4 * s + lane_id() / kTileColumns;
    row[s] = -1;
    if (b < 2 * kRows) row[s] = batch_row_of(p.next, first_row<kRows>() + b / 2, b % 2 == 1, turn_rows[b / 2].half);
  }
  for (int first_tile = warp_id(); first_tile < weights.tiles; first_tile += kProjected * kWarps) {
    float bias[kProjected];
#pragma unroll
    for (int t = 0; t < kProjected; ++t) {
      const int tile = first_tile + t * kWarps;
      bias[t] = tile < weights.tiles ? weights.bias[tile * kTileColumns + lane_id() % kTileColumns] : 0.0f;
    }
    float sums[kProjected][kRows] = {};
    for (int step = 0; step < weights.steps; ++step) {
      float4 w[kProjected];
#pragma unroll
      for (int t = 0; t < kProjected; ++t) {
        const int tile = first_tile + t * kWarps;
        w[t] = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
        if (tile < weights.tiles) {
          w[t] = weights.packed[(static_cast<int64_t>(tile) * weights.steps + step) * kStepChunks + lane_id()];
        }
      }
      const int quad = step * kStepQuads + lane_id() / kTileColumns;
#pragma unroll
      for (int i = 0; i < kRows; ++i) {
        const float4 x = load_quad<true>(shared.x() + i * shared.x_width, shared.x_width, quad);
#pragma unroll
        for (int t = 0; t < kProjected; ++t) sums[t][i] = add_products(x, w[t], sums[t][i]);
      }
    }
#pragma unroll
    for (int t = 0; t < kProjected; ++t) {
      float values[kRows];
#pragma unroll
      for (int i = 0; i < kRows; ++i) values[i] = column_sum(sums[t][i]) + bias[t];
      const int64_t column = (static_cast<int64_t>(first_tile) + t * kWarps) * kTileColumns + lane_id() % kTileColumns;
      if (column >= width) continue;
#pragma unroll
      for (int s = 0; s < kStores; ++s) {
        const float value = lane_id() < 2 * kTileColumns || 2 * s + 1 >= kRows ? values[2 * s] : values[2 * s + 1];
        if (row[s] >= 0) p.next_stream[row[s] * width + column] = value;
      }
    }
  }
}

// The turn of kRows rows. kFast: rows of whole quads, at most kRowSteps steps, which find room in shared memory.
// Launch: ceil(max(now.rows, next.rows) / kRows) blocks of kThreads, TurnShared::bytes(). The number of rows of a block
// changes no bit.
//
// A block reads the final layer's weights (196 KB for MAR-H) and those of the input projection (98 KB), which come from
// L2 for all blocks but the first: few rows spread over the multiprocessors, many share a block's reads.
template <int kRows, bool kFast>
__global__ void __launch_bounds__(kThreads, 1)
    head_turn_kernel(HeadTurn p, ChainRows chain, TurnWeights final_layer, TurnWeights input_projection, int64_t width,
                     float epsilon) {
  const int32_t is_cancelled = load_relaxed(chain.cancelled);  // looked at when the weights are on their way
  if (p.now.rows > 0) prefetch(final_layer);
  if (p.next.rows > 0) prefetch(input_projection);
  dependents_launch();
  dependency_wait();
  if (is_cancelled != 0) return;
  const TurnShared<kRows, kFast> shared(final_layer, input_projection);
  GTR_SHARED(TurnRow, turn_rows, kRows);
  begin_rows<kRows>(p, chain, shared, turn_rows);
  if (first_row<kRows>() < p.now.rows) {
    normalise<kRows, kFast>(p, chain, shared, width, epsilon);
    predict<kRows>(p, shared, final_layer, turn_rows);
    update<kRows>(p, chain, shared, turn_rows);
  } else {
    block_sync();
  }
  if (first_row<kRows>() < p.next.rows) project<kRows>(p, shared, input_projection, width, turn_rows);
}

TurnWeights weights_of(const Linear& linear) noexcept {
  return {static_cast<const float4*>(linear.weights), linear.bias, linear.steps, linear.tiles};
}

// False if the device has not the shared memory.
template <int kRows, bool kFast>
bool launch_turn(Context& context, const Head& head, const ChainRows& chain, const HeadTurn& turn) noexcept {
  const TurnWeights final_layer = weights_of(head.layer(HeadLayer::kFinalLinear));
  const TurnWeights input_projection = weights_of(head.layer(HeadLayer::kInputProjection));
  const int64_t bytes = TurnShared<kRows, kFast>(final_layer, input_projection).bytes();
  constexpr int64_t kStaticBytes = 1024;  // more than TurnRow and NormSums take
  if (kFast && bytes + kStaticBytes > context.limits->shared_bytes) return false;
  const int64_t rows = std::max(turn.now.rows, turn.next.rows);
  launch_dependent<head_turn_kernel<kRows, kFast>>(
      context.queue, dim3(static_cast<unsigned>((rows + kRows - 1) / kRows)), kThreads, bytes, turn, chain, final_layer,
      input_projection, int64_t{head.shape.width}, norm_epsilon(kHeadNormEpsilon));
  return true;
}

}  // namespace

int64_t turn_normed_width(const Head& head) noexcept {
  return head.layer(HeadLayer::kFinalLinear).steps * int64_t{kStepInputsF32};
}
int64_t turn_predictions_width(const Head& head) noexcept {
  return head.layer(HeadLayer::kFinalLinear).tiles * int64_t{kTileColumns};
}

void turn(Context& context, const Head& head, const ChainRows& chain, const HeadTurn& turn) noexcept {
  const int64_t rows = std::max(turn.now.rows, turn.next.rows);
  const int64_t multiprocessors = context.limits->multiprocessors;
  bool launched = false;
  if (head.shape.width % kQuad == 0 && head.shape.width <= kRowSteps * kNormStep) {
    launched = rows > 2 * multiprocessors && launch_turn<4, true>(context, head, chain, turn);
    launched = launched || (rows > multiprocessors && launch_turn<2, true>(context, head, chain, turn));
    launched = launched || launch_turn<1, true>(context, head, chain, turn);
  }
  if (!launched) launch_turn<1, false>(context, head, chain, turn);
}

}  // namespace gtr::cuda
