// The first half of a block for few rows: hidden = SiLU(mlp.0(modulate(in_ln(h)))), as one kernel.
#pragma once

#include "head.h"

namespace gtr::cuda {

// One block's arguments. R rows, w the head's width; shift and scale lie modulation_stride elements from row to row.
struct HeadMlp {
  const float* stream;  // [R, w]
  const float* norm_weight;
  const float* norm_bias;
  const void* shift;  // bf16 [R, w]
  const void* scale;
  int64_t modulation_stride;
  void* hidden;  // bf16 [R, w]
};

// Is it worth it, and can the device do it? Changes no bit: layer norm and product round as they do apart.
bool mlp_fits(const DeviceLimits& limits, const Head& head, int64_t rows) noexcept;
void norm_modulate_linear_silu(Context& context, const Head& head, int32_t block, int64_t rows,
                               const HeadMlp& mlp) noexcept;

}  // namespace gtr::cuda
