// The end of `linear`: y = residual + gate * activation(sum + bias).
//
// An epilogue, as the kernels of linear_stream.h, linear_tile.h and linear_f32.h take it, is a struct with
//   __device__ void store(int64_t row, int64_t column, float4 sums, int columns) const
// that is called once for each group of 4 neighbouring columns of each row of y, column being a multiple of 4 and
// `columns` (1 to 4) of them existing. Groups come from shared memory, so neighbouring threads have neighbouring groups
// of a row, whatever the layout of accumulators.
#pragma once

#include <cmath>
#include <cstdint>

#include "device.h"
#include "gtr/gtr.h"

namespace gtr::cuda {

__device__ __forceinline__ float activate(int32_t activation, float x) {
  if (activation == GTR_ACTIVATION_GELU) return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f));
  if (activation == GTR_ACTIVATION_SILU) return x / (1.0f + expf(-x));
  return x;
}

// Rows of a matrix that is absent (data is null), f32 or bf16.
struct EpilogueMatrix {
  void* data;
  int64_t stride;  // of a row, in elements
  bool bf16;

  __device__ __forceinline__ float get(int64_t row, int64_t column) const {
    const int64_t at = row * stride + column;
    return bf16 ? to_float(static_cast<const Bf16*>(data)[at]) : static_cast<const float*>(data)[at];
  }
  __device__ __forceinline__ void set(int64_t row, int64_t column, float value) const {
    const int64_t at = row * stride + column;
    if (bf16) {
      static_cast<Bf16*>(data)[at] = to_bf16(value);
    } else {
      static_cast<float*>(data)[at] = value;
    }
  }
  // Four columns at once, where they are aligned to their size together.
  __device__ __forceinline__ float4 get_4(int64_t row, int64_t column) const {
    const int64_t at = row * stride + column;
    if (!bf16) return *reinterpret_cast<const float4*>(static_cast<const float*>(data) + at);
    const uint2 pairs = *reinterpret_cast<const uint2*>(static_cast<const Bf16*>(data) + at);
    const float2 low = unpack_bf16(pairs.x);
    const float2 high = unpack_bf16(pairs.y);
    return make_float4(low.x, low.y, high.x, high.y);
  }
  __device__ __forceinline__ void set_4(int64_t row, int64_t column, float4 value) const {
    const int64_t at = row * stride + column;
    if (bf16) {
      *reinterpret_cast<uint2*>(static_cast<Bf16*>(data) + at) =
          make_uint2(pack_bf16(value.x, value.y), pack_bf16(value.z, value.w));
    } else {
      *reinterpret_cast<float4*>(static_cast<float*>(data) + at) = value;
    }
  }
  // host
  bool aligned_by_4() const {
    const int64_t size = bf16 ? 2 : 4;
    return data == nullptr || (reinterpret_cast<uintptr_t>(data) % (4 * size) == 0 && stride % 4 == 0);
  }
};

struct LinearEpilogue {
  int32_t activation;  // a gtr_activation
  bool by_4;           // every matrix that is there is aligned_by_4
  const float* bias;   // of whole column tiles, aligned to 16 bytes
  EpilogueMatrix gate;
  EpilogueMatrix residual;
  EpilogueMatrix y;

  // One rounding per operation and the same ones on both paths below.
  __device__ __forceinline__ float value(float sum, float added, bool gated, float factor, bool has_term,
                                         float term) const {
    float result = activate(activation, sum + added);
    if (gated) result = factor * result;
    return has_term ? term + result : result;
  }

  __device__ __forceinline__ void store(int64_t row, int64_t column, float4 sums, int columns) const {
    const bool gated = gate.data != nullptr;
    const bool has_term = residual.data != nullptr;
    const float4 added = *reinterpret_cast<const float4*>(bias + column);
    if (by_4 && columns == 4) {
      float4 factor = make_float4(1.0f, 1.0f, 1.0f, 1.0f);
      float4 term = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
      if (gated) factor = gate.get_4(row, column);
      if (has_term) term = residual.get_4(row, column);
      y.set_4(row, column,
              make_float4(value(sums.x, added.x, gated, factor.x, has_term, term.x),
                          value(sums.y, added.y, gated, factor.y, has_term, term.y),
                          value(sums.z, added.z, gated, factor.z, has_term, term.z),
                          value(sums.w, added.w, gated, factor.w, has_term, term.w)));
      return;
    }
    const float sum[4] = {sums.x, sums.y, sums.z, sums.w};
    const float plus[4] = {added.x, added.y, added.z, added.w};
#pragma unroll
    for (int c = 0; c < 4; ++c) {
      if (c >= columns) break;
      const float factor = gated ? gate.get(row, column + c) : 1.0f;
      const float term = has_term ? residual.get(row, column + c) : 0.0f;
      y.set(row, column + c, value(sum[c], plus[c], gated, factor, has_term, term));
    }
  }
};

// Hands the sums of kRows rows by kColumns columns in shared memory, `width` floats from row to row (a multiple of 4),
// to the epilogue. Block, after a block_sync. rows, columns: those from first_row and first_column on that exist.
template <int kRows, int kColumns, int kThreads, typename Epilogue>
__device__ __forceinline__ void finish_tile(const Epilogue& epilogue, const float* sums, int width, int64_t first_row,
                                            int64_t rows, int64_t first_column, int64_t columns) {
  constexpr int kGroups = kColumns / 4;
  for (int i = static_cast<int>(threadIdx.x); i < kRows * kGroups; i += kThreads) {
    const int row = i / kGroups;
    const int column = i % kGroups * 4;
    const int64_t left = columns - column;
    if (row >= rows || left <= 0) continue;
    const float4 four = *reinterpret_cast<const float4*>(sums + row * width + column);
    epilogue.store(first_row + row, first_column + column, four, static_cast<int>(left < 4 ? left : 4));
  }
}

}  // namespace gtr::cuda
