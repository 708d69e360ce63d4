// Tall bf16 products on compute capability 9.0 by its own instruction, wgmma, whose rate mma.sync does not reach.
//
// wgmma adds the sixteen products of a k-step as mma.sync does on that card, which bench/gpu.sh compares (part
// operations, row invariance): y has the same bits whether a row goes through here or through linear_stream.h.
#pragma once

#include "linear_epilogue.h"
#include "linear_stream.h"
#include "linear_weights.h"

namespace gtr::cuda {

// Can the device and this build do it?
bool has_linear_hopper(const DeviceLimits& limits) noexcept;

// As launch_linear_bf16, for any number of rows.
void launch_linear_hopper(Queue& queue, const DeviceLimits& limits, const Linear& linear, const GlobalRows& rows,
                          const LinearEpilogue& epilogue, const int32_t* cancelled) noexcept;

}  // namespace gtr::cuda
