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
#include "quad_words.h"

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
  __device__ __forceinline__ QuadWords get_4(int64_t row, int64_t column) const {
    return load_quad_words(data, bf16, row * stride + column);
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

// What a group of 4 columns of a row is finished with.
struct LinearTerms {
  float4 bias;
  QuadWords gate;      // read if all four columns are there and by_4; likewise
  QuadWords residual;  // as it lies in memory, so that nobody waits for it before it is used
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

  // The same in parts: what does not depend on the launch before, what may, and the end.
  __device__ __forceinline__ void load_bias(int64_t column, LinearTerms& terms) const {
    terms.bias = *reinterpret_cast<const float4*>(bias + column);
  }
  __device__ __forceinline__ void load_terms(int64_t row, int64_t column, int columns, LinearTerms& terms) const {
    if (!by_4 || columns != 4) return;
    if (gate.data != nullptr) terms.gate = gate.get_4(row, column);
    if (residual.data != nullptr) terms.residual = residual.get_4(row, column);
  }
  __device__ __forceinline__ void store(int64_t row, int64_t column, float4 sums, int columns) const {
    LinearTerms terms;
    load_bias(column, terms);
    load_terms(row, column, columns, terms);
    store(row, column, sums, columns, terms);
  }
  __device__ __forceinline__ void store(int64_t row, int64_t column, float4 sums, int columns,
                                        const LinearTerms& terms) const {
    const bool gated = gate.data != nullptr;
    const bool has_term = residual.data != nullptr;
    const float4 added = terms.bias;
    if (by_4 && columns == 4) {
      float4 factor = make_float4(1.0f, 1.0f, 1.0f, 1.0f);
      float4 term = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
      if (gated) factor = values_of(terms.gate, gate.bf16);
      if (has_term) term = values_of(terms.residual, residual.bf16);
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

// The same for few rows, whose end is a matter of latency: a thread's groups, whose terms are asked for before the sums
// are begun.
template <int kRows, int kColumns, int kThreads>
class EarlyFinish {
 public:
  // Reads the bias.
  __device__ __forceinline__ EarlyFinish(const LinearEpilogue& epilogue, int64_t rows, int64_t first_column,
                                         int64_t columns)
      : epilogue_(epilogue), rows_(rows), first_column_(first_column), columns_(columns) {
    each([&](int, int64_t column, int, int held) { epilogue_.load_bias(column, terms_[held]); });
  }
  // Reads gate and residual.
  __device__ __forceinline__ void load_terms() {
    each([&](int row, int64_t column, int columns, int held) {
      epilogue_.load_terms(row, column, columns, terms_[held]);
    });
  }
  // Block, after a block_sync. sums: as for finish_tile.
  __device__ __forceinline__ void finish(const float* sums, int width) const {
    each([&](int row, int64_t column, int columns, int held) {
      const float4 four = *reinterpret_cast<const float4*>(sums + row * width + (column - first_column_));
      epilogue_.store(row, column, four, columns, terms_[held]);
    });
  }

 private:
  static constexpr int kGroups = kColumns / 4;
  static constexpr int kHeld = (kRows * kGroups + kThreads - 1) / kThreads;

  template <typename Body>
  __device__ __forceinline__ void each(const Body& body) const {
#pragma unroll
    for (int held = 0; held < kHeld; ++held) {
      const int i = static_cast<int>(threadIdx.x) + held * kThreads;
      const int row = i / kGroups;
      const int column = i % kGroups * 4;
      const int64_t left = columns_ - column;
      if (row < kRows && row < rows_ && left > 0) {
        body(row, first_column_ + column, static_cast<int>(left < 4 ? left : 4), held);
      }
    }
  }

  const LinearEpilogue& epilogue_;
  int64_t rows_;
  int64_t first_column_;
  int64_t columns_;
  LinearTerms terms_[kHeld];
};

}  // namespace gtr::cuda
