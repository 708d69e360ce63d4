// Layer norm: a warp normalises a row, see layer_norm_row.inl.
#include <algorithm>
#include <cstdint>

#include "device.h"
#include "launch_shape.h"
#include "layer_norm_row.inl"
#include "operations.h"

namespace gtr::cuda {
namespace {

constexpr int kMaxWarps = 4;  // rows that a block normalises at once
constexpr int kBlocks = 4;    // of so many warps that a multiprocessor must hold: up to 128 registers

// A matrix [rows, width] or, with row stride 0, a vector [width]; f32 or bf16, null if absent.
struct Modulator {
  const void* data;
  int64_t stride;
  bool narrow;  // bf16
};

struct LayerNorm {
  const float* x;    // [rows, width]
  int64_t x_stride;  // of rows, in elements; likewise below
  void* y;           // [rows, width], may be x
  int64_t y_stride;
  const float* weight;  // [width] or null
  const float* bias;    // [width] or null
  Modulator scale;      // [rows, width]; both or neither
  Modulator shift;
  int64_t rows;
  int64_t width;
  float epsilon;
  const int32_t* cancelled;
};

template <bool kVector>
__device__ __forceinline__ float4 load_modulator(const Modulator& m, int64_t row, int64_t width, int64_t quad) {
  if (m.narrow) return load_quad<kVector>(static_cast<const Bf16*>(m.data) + row * m.stride, width, quad);
  return load_quad<kVector>(static_cast<const float*>(m.data) + row * m.stride, width, quad);
}

// y = (n(x) weight + bias) (1 + scale) + shift, row by row.
// Launch: blocks of 1 to kMaxWarps warps; each takes every (blocks * warps)-th row, so any number of blocks will do.
// kSteps: 0, or at least width / 128, and then the row stays in registers. kVector: every row of every tensor is
// aligned to four elements. All variants give the same bits.
template <typename Y, int kSteps, bool kVector>
__global__ void __launch_bounds__(kMaxWarps* kWarp, kBlocks) layer_norm_rows(LayerNorm p) {
  if (load_relaxed(p.cancelled) != 0) return;
  const int64_t warps = blockDim.x / kWarp;
  for (int64_t row = blockIdx.x * warps + warp_id(); row < p.rows; row += gridDim.x * warps) {
    const float* const x = p.x + row * p.x_stride;
    Y* const y = static_cast<Y*>(p.y) + row * p.y_stride;
    const auto finish = [&](float4 v, int64_t quad, const NormMoments& moments) {
      v = normalised(v, moments);
      if (p.weight != nullptr) v = v * load_quad<kVector>(p.weight, p.width, quad);
      if (p.bias != nullptr) v = v + load_quad<kVector>(p.bias, p.width, quad);
      if (p.scale.data != nullptr) {
        v = modulated(v, load_modulator<kVector>(p.scale, row, p.width, quad),
                      load_modulator<kVector>(p.shift, row, p.width, quad));
      }
      store_quad<kVector>(y, p.width, quad, v);
    };
    if constexpr (kSteps > 0) {
      float4 own[kSteps];
      for_quads<kSteps>(p.width, [&](int step, int64_t quad) { own[step] = load_quad<kVector>(x, p.width, quad); });
      const NormMoments moments =
          norm_moments<kSteps>(p.width, p.epsilon, [&](int step, int64_t) { return own[step]; });
      for_quads<kSteps>(p.width, [&](int step, int64_t quad) { finish(own[step], quad, moments); });
    } else {
      const auto load = [&](int, int64_t quad) { return load_quad<kVector>(x, p.width, quad); };
      const NormMoments moments = norm_moments<0>(p.width, p.epsilon, load);
      // In place, a lane overwrites only what no other lane reads, after reading it.
      for_quads<0>(p.width, [&](int step, int64_t quad) { finish(load(step, quad), quad, moments); });
    }
  }
}

Modulator modulator(const gtr_tensor* tensor) noexcept {
  if (tensor == nullptr) return {};
  return {tensor->data, tensor->stride[0], tensor->dtype == GTR_BF16};
}

template <typename Y>
void launch_rows(Queue& queue, const LayerNorm& p, bool vector, dim3 grid, int threads) noexcept {
  constexpr int kRegisters8 = 8;    // widths to 1024
  constexpr int kRegisters12 = 12;  // and to 1536
  if (!vector) {
    launch<layer_norm_rows<Y, 0, false>>(queue, grid, threads, 0, p);
  } else if (p.width <= kRegisters8 * kWarpQuads) {
    launch<layer_norm_rows<Y, kRegisters8, true>>(queue, grid, threads, 0, p);
  } else if (p.width <= kRegisters12 * kWarpQuads) {
    launch<layer_norm_rows<Y, kRegisters12, true>>(queue, grid, threads, 0, p);
  } else {
    launch<layer_norm_rows<Y, 0, true>>(queue, grid, threads, 0, p);
  }
}

}  // namespace

void layer_norm(Context& context, const gtr_tensor& x, const gtr_tensor* weight, const gtr_tensor* bias,
                const gtr_tensor* scale, const gtr_tensor* shift, double epsilon, const gtr_tensor& y) noexcept {
  const LayerNorm p{static_cast<const float*>(x.data),
                    x.stride[0],
                    y.data,
                    y.stride[0],
                    weight == nullptr ? nullptr : static_cast<const float*>(weight->data),
                    bias == nullptr ? nullptr : static_cast<const float*>(bias->data),
                    modulator(scale),
                    modulator(shift),
                    x.shape[0],
                    x.shape[1],
                    norm_epsilon(epsilon),
                    context.cancelled};
  bool vector = rows_aligned(x, kQuad) && rows_aligned(y, kQuad);
  for (const gtr_tensor* tensor : {weight, bias, scale, shift}) {
    vector = vector && (tensor == nullptr || rows_aligned(*tensor, kQuad));
  }
  // Few rows are spread over all multiprocessors, one warp each.
  const int64_t warps = std::clamp<int64_t>(p.rows / context.limits->multiprocessors, 1, kMaxWarps);
  const int threads = static_cast<int>(warps) * kWarp;
  const dim3 grid = grid_of((p.rows + warps - 1) / warps);
  if (y.dtype == GTR_BF16) {
    launch_rows<Bf16>(context.queue, p, vector, grid, threads);
  } else {
    launch_rows<float>(context.queue, p, vector, grid, threads);
  }
}

}  // namespace gtr::cuda
