// f32 `linear`: FP32 FMA, no TF32. The same two regimes as bf16, see linear_stream.h and linear_tile.h, with four
// partitions of the inputs.
#pragma once

#include "linear_epilogue.h"
#include "linear_weights.h"

namespace gtr::cuda {

// f32 rows, of any alignment.
struct FloatRows {
  const float* x;
  int64_t stride;  // elements
  int64_t rows;
  int64_t inputs;
  bool by_4;  // x, stride and inputs allow 16-byte loads
};

// Up to this many rows go through the weight-streaming kernels.
constexpr int64_t kStreamedRowsF32 = 16;

// Enqueues y = epilogue(rows W^T). cancelled: as Context::cancelled; once it is not 0 the kernels compute nothing.
void launch_linear_f32(Queue& queue, const Linear& linear, const FloatRows& rows, const LinearEpilogue& epilogue,
                       const int32_t* cancelled) noexcept;

}  // namespace gtr::cuda
