// Loops that do one thing as fast as the card can: the ceilings beside which the kernels are measured.
#include "card_loops.h"

#include "device.h"

namespace gtr::bench {
namespace {

using namespace gtr::cuda;

constexpr int kThreads = 256;
constexpr int kSums = 16;   // independent sums of a thread or warp: enough to hide the latency of one multiply-add
constexpr int kLoads = 8;   // of 16 bytes, under way at once per thread
constexpr int kWaves = 16;  // of blocks that read, so that no multiprocessor waits for the slowest at the end

// A value that no sum takes: keeps the sums alive without writing them.
constexpr float kNever = -1.0f;

// fmaf on registers. Any grid; out [1].
__global__ void __launch_bounds__(kThreads) multiply_add_kernel(int64_t rounds, float a, float b, float* out) {
  float sums[kSums];
#pragma unroll
  for (int i = 0; i < kSums; ++i) sums[i] = static_cast<float>(lane_id() + i);
  for (int64_t round = 0; round < rounds; ++round) {
#pragma unroll
    for (int i = 0; i < kSums; ++i) sums[i] = fmaf(sums[i], a, b);
  }
  float total = 0;
#pragma unroll
  for (int i = 0; i < kSums; ++i) total += sums[i];
  if (total == kNever) *out = total;
}

// mma.sync m16n8k16 on registers. Any grid; out [1].
__global__ void __launch_bounds__(kThreads) multiply_bf16_kernel(int64_t rounds, float* out) {
  // Numbers between 1 and 2 in which about half of the bits are set: what a multiplier draws depends on them.
  Bf16x2 a[4];
  Bf16x2 b[2];
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    a[i] = 0x3f803f80u | ((0x9e3779b9u * static_cast<uint32_t>(lane_id() + 32 * i + 1)) & 0x007f007fu);
  }
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    b[i] = 0x3f803f80u | ((0x85ebca6bu * static_cast<uint32_t>(lane_id() + 32 * i + 1)) & 0x007f007fu);
  }
  float sums[kSums][4];
#pragma unroll
  for (int i = 0; i < kSums; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) sums[i][j] = static_cast<float>(i);
  }
  for (int64_t round = 0; round < rounds; ++round) {
#pragma unroll
    for (int i = 0; i < kSums; ++i) multiply_bf16(sums[i], a, b);
  }
  float total = 0;
#pragma unroll
  for (int i = 0; i < kSums; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) total += sums[i][j];
  }
  if (total == kNever) *out = total;
}

// data [vectors] of 16 bytes, each read once a round. Any grid; out [1].
__global__ void __launch_bounds__(kThreads)
    read_kernel(const uint4* data, int64_t vectors, int64_t rounds, uint32_t* out) {
  const int64_t threads = static_cast<int64_t>(gridDim.x) * kThreads;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kThreads + static_cast<int64_t>(threadIdx.x);
  uint32_t all = 0;
  for (int64_t round = 0; round < rounds; ++round) {
    int64_t at = first;
    for (; at + (kLoads - 1) * threads < vectors; at += kLoads * threads) {
      uint4 loaded[kLoads];
#pragma unroll
      for (int i = 0; i < kLoads; ++i) loaded[i] = load_streaming_16(data + at + i * threads);
#pragma unroll
      for (int i = 0; i < kLoads; ++i) all |= loaded[i].x | loaded[i].y | loaded[i].z | loaded[i].w;
    }
    for (; at < vectors; at += threads) {
      const uint4 loaded = load_streaming_16(data + at);
      all |= loaded.x | loaded.y | loaded.z | loaded.w;
    }
  }
  // What is read was written by overwrite_kernel with values of at most 31 bits.
  if (all == 0xffffffffu) *out = all;
}

// data [vectors] of 16 bytes becomes value. Any grid.
__global__ void __launch_bounds__(kThreads) overwrite_kernel(uint4* data, int64_t vectors, uint32_t value) {
  const int64_t threads = static_cast<int64_t>(gridDim.x) * kThreads;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kThreads + static_cast<int64_t>(threadIdx.x);
  for (int64_t at = first; at < vectors; at += threads) store_16(data + at, make_uint4(value, value, value, value));
}

template <auto kKernel>
int full_grid(int multiprocessors) {
  const int blocks = resident_blocks<kKernel>(kThreads, 0);
  return multiprocessors * (blocks > 0 ? blocks : 1);
}

}  // namespace

CardWork enqueue_multiply_add_f32(Queue& queue, int multiprocessors, int64_t rounds, float* out) {
  const int blocks = full_grid<multiply_add_kernel>(multiprocessors);
  launch<multiply_add_kernel>(queue, dim3(static_cast<unsigned>(blocks)), kThreads, 0, rounds, 0.75f, 0x1p-20f, out);
  return {2.0 * kSums * static_cast<double>(rounds) * kThreads * blocks, 0};
}

CardWork enqueue_multiply_bf16(Queue& queue, int multiprocessors, int64_t rounds, float* out) {
  constexpr double kFlops = 2.0 * 16 * 8 * 16;  // of one mma.sync
  const int blocks = full_grid<multiply_bf16_kernel>(multiprocessors);
  launch<multiply_bf16_kernel>(queue, dim3(static_cast<unsigned>(blocks)), kThreads, 0, rounds, out);
  return {kFlops * kSums * static_cast<double>(rounds) * (kThreads / kWarp) * blocks, 0};
}

CardWork enqueue_read(Queue& queue, int multiprocessors, const void* data, int64_t bytes, int64_t rounds,
                      uint32_t* out) {
  const int blocks = kWaves * full_grid<read_kernel>(multiprocessors);
  launch<read_kernel>(queue, dim3(static_cast<unsigned>(blocks)), kThreads, 0, static_cast<const uint4*>(data),
                      bytes / 16, rounds, out);
  return {0, static_cast<double>(bytes) * static_cast<double>(rounds)};
}

void enqueue_overwrite(Queue& queue, int multiprocessors, void* data, int64_t bytes, uint32_t value) {
  const int blocks = full_grid<overwrite_kernel>(multiprocessors);
  launch<overwrite_kernel>(queue, dim3(static_cast<unsigned>(blocks)), kThreads, 0, static_cast<uint4*>(data),
                           bytes / 16, value);
}

}  // namespace gtr::bench
