// Layer norm: four warps normalise a row, see layer_norm_row.inl.
#include <algorithm>
#include <cstdint>

#include "device.h"
#include "launch_shape.h"
#include "layer_norm_row.inl"
#include "operations.h"
#include "quad_words.h"

namespace gtr::cuda {
namespace {

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

// Blocks that a multiprocessor can hold, as registers allow.
template <bool kModulated>
constexpr int kBlocks = kModulated ? 5 : 8;

// y = (n(x) weight + bias) (1 + scale) + shift, row by row.
// Launch: blocks of kNormThreads; each takes every gridDim.x-th row, so any number of blocks will do.
// kSteps: 0, or at least width / kNormStep, and then the row stays in registers, and all that is loaded for it is under
// way before anything waits. kVector: rows of whole quads, every row of every tensor aligned to four elements; so if
// kSteps > 0. All variants give the same bits.
template <typename Y, bool kModulated, int kSteps, bool kVector>
__global__ void __launch_bounds__(kNormThreads, kBlocks<kModulated>) layer_norm_rows(LayerNorm p) {
  static_assert(kSteps == 0 || kVector, "registers hold whole quads");
  GTR_SHARED(NormSums, sums, 1);
  const int32_t is_cancelled = load_relaxed(p.cancelled);  // looked at when the first row is on its way
  dependents_launch();
  dependency_wait();  // weight and bias are the caller's, who may have computed them just now
  const int rank = warp_id();
  const auto finish = [&](float4 v, const NormMoments& moments, auto&& weight, auto&& bias) {
    v = normalised(v, moments);
    if (p.weight != nullptr) v = v * weight();
    if (p.bias != nullptr) v = v + bias();
    return v;
  };
  if constexpr (kSteps > 0) {
    float4 weight[kSteps];
    float4 bias[kSteps];
    for_quads<kNormWarps, kSteps>(rank, p.width, [&](int step, int, int64_t quad) {
      if (p.weight != nullptr) weight[step] = load_quad<true>(p.weight, p.width, quad);
      if (p.bias != nullptr) bias[step] = load_quad<true>(p.bias, p.width, quad);
    });
    for (int64_t row = blockIdx.x; row < p.rows; row += gridDim.x) {
      float4 own[kSteps];
      QuadWords scale[kSteps];
      QuadWords shift[kSteps];
      for_quads<kNormWarps, kSteps>(rank, p.width, [&](int step, int, int64_t quad) {
        own[step] = load_quad<true>(p.x + row * p.x_stride, p.width, quad);
        if constexpr (kModulated) {
          scale[step] = load_quad_words(p.scale.data, p.scale.narrow, row * p.scale.stride + quad * kQuad);
          shift[step] = load_quad_words(p.shift.data, p.shift.narrow, row * p.shift.stride + quad * kQuad);
        }
      });
      if (is_cancelled != 0) return;
      const NormMoments moments = norm_moments<kNormWarps, kSteps, true>(rank, p.width, p.epsilon, sums[0],
                                                                         [&](int step, int64_t) { return own[step]; });
      for_quads<kNormWarps, kSteps>(rank, p.width, [&](int step, int, int64_t quad) {
        float4 v = finish(
            own[step], moments, [&] { return weight[step]; }, [&] { return bias[step]; });
        if constexpr (kModulated)
          v = modulated(v, values_of(scale[step], p.scale.narrow), values_of(shift[step], p.shift.narrow));
        store_quad<true>(static_cast<Y*>(p.y) + row * p.y_stride, p.width, quad, v);
      });
    }
  } else {
    if (is_cancelled != 0) return;
    for (int64_t row = blockIdx.x; row < p.rows; row += gridDim.x) {
      const auto load = [&](int, int64_t quad) { return load_quad<kVector>(p.x + row * p.x_stride, p.width, quad); };
      const NormMoments moments = norm_moments<kNormWarps, 0, kVector>(rank, p.width, p.epsilon, sums[0], load);
      // In place, a thread overwrites only what no other thread reads, after reading it.
      for_quads<kNormWarps, 0>(rank, p.width, [&](int held, int, int64_t quad) {
        float4 v = finish(
            load(held, quad), moments, [&] { return load_quad<kVector>(p.weight, p.width, quad); },
            [&] { return load_quad<kVector>(p.bias, p.width, quad); });
        if constexpr (kModulated) {
          v = modulated(v, load_modulator<kVector>(p.scale, row, p.width, quad),
                        load_modulator<kVector>(p.shift, row, p.width, quad));
        }
        store_quad<kVector>(static_cast<Y*>(p.y) + row * p.y_stride, p.width, quad, v);
      });
    }
  }
}

Modulator modulator(const gtr_tensor* tensor) noexcept {
  if (tensor == nullptr) return {};
  return {tensor->data, tensor->stride[0], tensor->dtype == GTR_BF16};
}

template <typename Y, bool kModulated>
void launch_rows(Context& context, const LayerNorm& p, bool vector) noexcept {
  // Blocks that stay keep weight and bias in registers from row to row.
  const dim3 grid = grid_of(std::min<int64_t>(p.rows, context.limits->multiprocessors * kBlocks<kModulated>));
  Queue& queue = context.queue;
  if (!vector) {
    launch_dependent<layer_norm_rows<Y, kModulated, 0, false>>(queue, grid, kNormThreads, 0, p);
  } else if (p.width <= 2 * kNormStep) {
    launch_dependent<layer_norm_rows<Y, kModulated, 2, true>>(queue, grid, kNormThreads, 0, p);
  } else if (p.width <= 3 * kNormStep) {
    launch_dependent<layer_norm_rows<Y, kModulated, 3, true>>(queue, grid, kNormThreads, 0, p);
  } else {
    launch_dependent<layer_norm_rows<Y, kModulated, 0, true>>(queue, grid, kNormThreads, 0, p);
  }
}

template <typename Y>
void launch_rows(Context& context, const LayerNorm& p, bool vector) noexcept {
  if (p.scale.data != nullptr) {
    launch_rows<Y, true>(context, p, vector);
  } else {
    launch_rows<Y, false>(context, p, vector);
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
  bool vector = p.width % kQuad == 0 && rows_aligned(x, kQuad) && rows_aligned(y, kQuad);
  for (const gtr_tensor* tensor : {weight, bias, scale, shift}) {
    vector = vector && (tensor == nullptr || rows_aligned(*tensor, kQuad));
  }
  if (y.dtype == GTR_BF16) {
    launch_rows<Bf16>(context, p, vector);
  } else {
    launch_rows<float>(context, p, vector);
  }
}

}  // namespace gtr::cuda
