// Frequency energy: a block takes a row, transforms it (fft.inl) and adds up the weighted magnitudes.
//
// A row lies in shared memory in two buffers that the stages go between; with it, for lengths that need no convolution,
// the tables, which are fetched from the L2 cache together with the row, so that after one wait the block has all it
// needs: 11 KiB for D = 768, 15 KiB for 1024 and 19 KiB for 1280. Their complex rows of 384, 512 and 640 take 4, 3 and
// 4 stages, in which each of 128 to 160 threads has one butterfly at most, so nobody waits long at a barrier. Blocks
// take a row each: a multiprocessor has room for several, which fill each other's waits. Rows too long for shared
// memory have their buffers in scratch, and blocks take several of them after each other.
#include <algorithm>
#include <cstdint>

#include "device.h"
#include "fft.inl"
#include "frequency_plan.h"
#include "launch_shape.h"
#include "operations.h"

namespace gtr::cuda {
namespace {

constexpr int kMinThreads = 128;
constexpr int kMaxThreads = 512;
constexpr int kBlocks = 1;  // of kMaxThreads that a multiprocessor must hold; said, or the compiler spills to hold more
constexpr int kTableThreads = 128;
constexpr int64_t kScratchBytes = int64_t{64} << 20;  // that rows too long for shared memory share, at most

struct Rows {
  const float* z;  // [rows, dim]
  float* score;    // [rows]
  int64_t z_stride;
  int64_t score_stride;
  int64_t rows;
  bool pairs;  // every row of z starts at a multiple of 8 bytes
};

// How a call is launched, which depends on the device and on D, but for `blocks` not on the number of rows.
struct Layout {
  FrequencyPlan plan;
  bool shared;     // the buffers lie there
  int32_t buffer;  // elements of one
  int32_t threads;
  int64_t shared_bytes;
  int64_t blocks;      // that take rows
  int64_t buffers_at;  // in scratch, in elements; the tables lie before
  int64_t scratch_bytes;
};

Layout layout_of(const DeviceLimits& limits, int64_t rows, int64_t dim) noexcept {
  constexpr int64_t kElement = sizeof(float2);
  Layout layout{};
  layout.plan = frequency_plan(dim);
  const FrequencyPlan& plan = layout.plan;
  layout.buffer = padded(plan.fft.length - 1) + 1;
  const int32_t threads = (plan.fft.butterflies + kWarp - 1) / kWarp * kWarp;
  layout.threads = std::clamp(threads, kMinThreads, kMaxThreads);
  layout.shared_bytes = (2 * layout.buffer + (plan.convolution ? 0 : plan.table_size)) * kElement;
  layout.shared = layout.shared_bytes <= limits.shared_bytes;
  layout.buffers_at = plan.table_size;
  if (layout.shared) {
    layout.blocks = rows;
    layout.scratch_bytes = plan.table_size * kElement;
    return layout;
  }
  layout.shared_bytes = 0;
  const int64_t per_block = 2 * layout.buffer * kElement;
  const int64_t most = std::clamp<int64_t>(kScratchBytes / per_block, 1, limits.multiprocessors);
  layout.blocks = std::min(rows, most);
  layout.scratch_bytes = plan.table_size * kElement + layout.blocks * per_block;
  return layout;
}

// tables[0 .. plan.table_size-1], the chirp's spectrum still as what is to be transformed.
// Launch: at least plan.table_size threads in blocks of kTableThreads.
__global__ void __launch_bounds__(kTableThreads) make_tables(FrequencyPlan plan, float2* tables) {
  const auto i = static_cast<int32_t>(blockIdx.x * kTableThreads + threadIdx.x);
  if (i >= plan.table_size) return;
  const int64_t turn = 2 * static_cast<int64_t>(plan.length);  // j^2 is reduced by it before it becomes an angle
  if (i < plan.roots) {
    int32_t s = plan.fft.stage_count - 1;
    while (plan.fft.stages[s].twiddles > i) --s;
    while (plan.fft.stages[s].part == 1) --s;
    const int32_t part = plan.fft.stages[s].part;
    const int32_t entry = i - plan.fft.stages[s].twiddles;
    const int64_t k = entry / part + 1;
    tables[i] = unit_root(k * (entry % part), static_cast<int64_t>(part) * plan.fft.stages[s].radix);
  } else if (i < plan.chirp) {
    tables[i] = unit_root(i - plan.roots, plan.dim);
  } else if (i < plan.spectrum) {
    const int64_t j = i - plan.chirp;
    tables[i] = unit_root(j * j % turn, turn);
  } else {
    const int32_t from_start = i - plan.spectrum;
    const int32_t from_end = plan.fft.length - from_start;
    const int64_t j = from_start < from_end ? from_start : from_end;
    const float2 chirp = unit_root(j * j % turn, turn, 1.0 / static_cast<double>(plan.fft.length));
    tables[i] = j < plan.length ? conjugate(chirp) : make_float2(0.0f, 0.0f);
  }
}

// Two buffers of `buffer` elements, in shared memory or this block's in scratch.
template <bool kShared>
__device__ __forceinline__ float2* buffers_of(float2* scratch, int32_t buffer) {
  if constexpr (kShared) return dynamic_shared<float2>();
  return scratch + static_cast<int64_t>(blockIdx.x) * 2 * buffer;
}

// The chirp's spectrum in its place. Launch: one block of up to kMaxThreads threads.
template <bool kShared>
__global__ void __launch_bounds__(kMaxThreads, kBlocks)
    transform_chirp(FrequencyPlan plan, float2* tables, float2* scratch, int32_t buffer) {
  float2* const memory = buffers_of<kShared>(scratch, buffer);
  float2* const spectrum = tables + plan.spectrum;
  const auto threads = static_cast<int32_t>(blockDim.x);
  const auto thread = static_cast<int32_t>(threadIdx.x);
  for (int32_t i = thread; i < plan.fft.length; i += threads) memory[padded(i)] = spectrum[i];
  block_sync();
  const int32_t result = fft_transform(plan.fft, tables, memory, 0, buffer);
  for (int32_t i = thread; i < plan.fft.length; i += threads) spectrum[i] = memory[result + padded(i)];
}

// |a|, without squares that overflow or vanish; NaN stays.
__device__ __forceinline__ float magnitude(float2 a) {
  const float re = fabsf(a.x);
  const float im = fabsf(a.y);
  const float large = re > im ? re : im;
  const float small = re > im ? im : re;
  if (large == 0.0f) return small;
  const float ratio = small / large;
  return large * sqrtf(fmaf(ratio, ratio, 1.0f));
}

// Block. The sum over all threads in fixed order, for thread 0. partial: room for a number of each warp.
__device__ __forceinline__ float block_sum(float value, float* partial) {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  if (lane_id() == 0) partial[warp_id()] = value;
  block_sync();
  if (warp_id() != 0) return 0.0f;
  float sum = lane_id() < static_cast<int>(blockDim.x) / kWarp ? partial[lane_id()] : 0.0f;
  for (int mask = kWarp / 2; mask > 0; mask /= 2) sum += shuffle_xor(sum, mask);
  return sum;
}

// score[r] = sum over k = 1..floor(D/2) of |DFT(z_r)_k| (1 + k / floor(D/2)).
// tables: as the kernels before made them; scratch: two buffers a block unless kShared; buffer: padded length of one.
// Launch: blockDim.x from kMinThreads to kMaxThreads, a function of D alone; any number of blocks; dynamic shared
// memory for two buffers and, without convolution, the tables if kShared.
template <bool kShared, bool kConvolution>
__global__ void __launch_bounds__(kMaxThreads, kBlocks)
    score_rows(FrequencyPlan plan, Rows p, const float2* tables, float2* scratch, int32_t buffer) {
  GTR_SHARED(float, partial, kMaxThreads / kWarp);
  const auto threads = static_cast<int32_t>(blockDim.x);
  const auto thread = static_cast<int32_t>(threadIdx.x);
  float2* const memory = buffers_of<kShared>(scratch, buffer);
  const float2* table = tables;
  if constexpr (kShared && !kConvolution) {
    float2* const own = memory + 2 * buffer;
    for (int32_t i = thread; i < plan.table_size; i += threads) own[i] = tables[i];
    table = own;
  }
  const bool even = plan.dim % 2 == 0;
  const int32_t half = plan.dim / 2;
  const float per_bin = 1.0f / static_cast<float>(half);

  for (int64_t row = blockIdx.x; row < p.rows; row += gridDim.x) {
    const float* const z = p.z + row * p.z_stride;
    const auto element = [&](int32_t j) {
      if (!even) return make_float2(z[j], 0.0f);
      if (p.pairs) return reinterpret_cast<const float2*>(z)[j];
      return make_float2(z[2 * j], z[2 * j + 1]);
    };
#pragma unroll 4
    for (int32_t j = thread; j < plan.length; j += threads) {
      const float2 x = element(j);
      memory[padded(j)] = kConvolution ? times(x, table[plan.chirp + j]) : x;
    }
    if constexpr (kConvolution) {
      for (int32_t j = plan.length + thread; j < plan.fft.length; j += threads) {
        memory[padded(j)] = make_float2(0.0f, 0.0f);
      }
    }
    block_sync();
    int32_t result = fft_transform(plan.fft, table, memory, 0, buffer);
    if constexpr (kConvolution) {
      // Conjugates before and after turn the forward transform into the inverse one. Every thread stays with its
      // elements, so that one barrier is enough.
      for (int32_t j = thread; j < plan.fft.length; j += threads) {
        float2& x = memory[result + padded(j)];
        x = conjugate(times(x, table[plan.spectrum + j]));
      }
      block_sync();
      result = fft_transform(plan.fft, table, memory, result, buffer - result);
    }
    const auto spectrum = [&](int32_t k) {
      const float2 x = memory[result + padded(k)];
      return kConvolution ? times(conjugate(x), table[plan.chirp + k]) : x;
    };

    float sum = 0.0f;
    if (even) {
      // Bins k and half - k come from the same two elements of the half-length spectrum.
      for (int32_t k = 1 + thread; 2 * k <= half; k += threads) {
        const float2 a = spectrum(k);
        const float2 b = conjugate(spectrum(half - k));
        const float2 evens = plus(a, b);
        const float2 odds = times(quarter_turn(minus(a, b)), table[plan.roots + k]);
        // Both sums are twice the bin; the weight makes up for it.
        const float low_weight = fmaf(0.5f * static_cast<float>(k), per_bin, 0.5f);
        const float high_weight = fmaf(0.5f * static_cast<float>(half - k), per_bin, 0.5f);
        sum = fmaf(magnitude(plus(evens, odds)), low_weight, sum);
        if (2 * k < half) sum = fmaf(magnitude(minus(evens, odds)), high_weight, sum);
      }
      if (thread == 0) {
        const float2 x = spectrum(0);
        sum = fmaf(fabsf(x.x - x.y), 2.0f, sum);
      }
    } else {
      for (int32_t k = 1 + thread; k <= half; k += threads) {
        sum = fmaf(magnitude(spectrum(k)), fmaf(static_cast<float>(k), per_bin, 1.0f), sum);
      }
    }
    // Its barrier is also what the next row's buffers wait for.
    sum = block_sum(sum, partial);
    if (thread == 0) p.score[row * p.score_stride] = sum;
  }
}

template <bool kShared>
void launch_scores(Queue& queue, const Layout& layout, const Rows& rows, float2* tables) noexcept {
  const FrequencyPlan& plan = layout.plan;
  float2* const buffers = tables + layout.buffers_at;
  if (!plan.convolution) {
    launch<score_rows<kShared, false>>(queue, grid_of(layout.blocks), layout.threads, layout.shared_bytes, plan, rows,
                                       tables, buffers, layout.buffer);
    return;
  }
  launch<transform_chirp<kShared>>(queue, dim3(1), layout.threads, layout.shared_bytes, plan, tables, buffers,
                                   layout.buffer);
  launch<score_rows<kShared, true>>(queue, grid_of(layout.blocks), layout.threads, layout.shared_bytes, plan, rows,
                                    tables, buffers, layout.buffer);
}

}  // namespace

int64_t frequency_energy_scratch_size(const DeviceLimits& limits, int64_t rows, int64_t dim) noexcept {
  return rows == 0 ? 0 : layout_of(limits, rows, dim).scratch_bytes;
}

void frequency_energy(Context& context, const gtr_tensor& z, const gtr_tensor& score, void* scratch) noexcept {
  const Layout layout = layout_of(*context.limits, z.shape[0], z.shape[1]);
  const Rows rows{static_cast<const float*>(z.data),
                  static_cast<float*>(score.data),
                  z.stride[0],
                  score.stride[0],
                  z.shape[0],
                  rows_aligned(z, 2)};
  float2* const tables = static_cast<float2*>(scratch);
  if (layout.plan.table_size > 0) {
    launch<make_tables>(context.queue, grid_of((layout.plan.table_size + kTableThreads - 1) / kTableThreads),
                        kTableThreads, 0, layout.plan, tables);
  }
  if (layout.shared) {
    launch_scores<true>(context.queue, layout, rows, tables);
  } else {
    launch_scores<false>(context.queue, layout, rows, tables);
  }
}

}  // namespace gtr::cuda
