// Noise: a thread makes the four numbers of one Philox block, see noise.inl.
#include "noise.inl"

#include <cstdint>

#include "device.h"
#include "launch_shape.h"
#include "operations.h"

namespace gtr::cuda {
namespace {

constexpr int kThreads = 128;

struct Noise {
  const uint64_t* seed;   // [rows]; this and the next three with a stride, which may be 0
  const uint32_t* image;  // [rows]
  const uint32_t* cell;   // [rows]
  const uint32_t* draw;   // [rows]
  int64_t seed_stride;
  int64_t image_stride;
  int64_t cell_stride;
  int64_t draw_stride;
  float* y;          // [rows, channels]
  int64_t y_stride;  // of rows
  int64_t rows;
  int64_t channels;
  int64_t groups;     // in a row, the last one may be partial
  bool whole_groups;  // every row of y starts at a multiple of 16 bytes
};

// y[r][c] for all rows and channels. Launch: kThreads threads a block, any number of blocks.
__global__ void __launch_bounds__(kThreads) noise_groups(Noise p) {
  const int64_t count = p.rows * p.groups;
  const int64_t step = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < count; i += step) {
    const int64_t row = i / p.groups;
    const int64_t group = i - row * p.groups;
    float numbers[kNoiseChannels];
    noise_block(p.seed[row * p.seed_stride], p.image[row * p.image_stride], p.cell[row * p.cell_stride],
                p.draw[row * p.draw_stride], static_cast<uint32_t>(group), numbers);
    const int64_t channel = group * kNoiseChannels;
    const int64_t left = p.channels - channel;
    float* const y = p.y + row * p.y_stride + channel;
    if (p.whole_groups && left >= kNoiseChannels) {
      *reinterpret_cast<float4*>(y) = make_float4(numbers[0], numbers[1], numbers[2], numbers[3]);
      continue;
    }
#pragma unroll
    for (int c = 0; c < kNoiseChannels; ++c) {
      if (c < left) y[c] = numbers[c];
    }
  }
}

}  // namespace

void noise(Context& context, const gtr_tensor& seed, const gtr_tensor& image, const gtr_tensor& cell,
           const gtr_tensor& draw, const gtr_tensor& y) noexcept {
  const int64_t groups = (y.shape[1] + kNoiseChannels - 1) / kNoiseChannels;
  const Noise p{static_cast<const uint64_t*>(seed.data),
                static_cast<const uint32_t*>(image.data),
                static_cast<const uint32_t*>(cell.data),
                static_cast<const uint32_t*>(draw.data),
                seed.stride[0],
                image.stride[0],
                cell.stride[0],
                draw.stride[0],
                static_cast<float*>(y.data),
                y.stride[0],
                y.shape[0],
                y.shape[1],
                groups,
                rows_aligned(y, kNoiseChannels)};
  launch<noise_groups>(context.queue, grid_of((p.rows * groups + kThreads - 1) / kThreads), kThreads, 0, p);
}

}  // namespace gtr::cuda
