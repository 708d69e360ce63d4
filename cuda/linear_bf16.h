// The bf16 kernels of `linear`, and which of them a call takes: the choice depends on rows, outputs and the number of
// multiprocessors, and changes no bit.
#pragma once

#include "linear_epilogue.h"
#include "linear_stream.h"
#include "linear_weights.h"

namespace gtr::cuda {

// Above, tiles: a block would have to read more of x than of W for each of its columns.
constexpr int64_t kStreamedRows = 32;

// Enqueues y = epilogue(rows W^T). cancelled: as Context::cancelled; once it is not 0 the kernels compute nothing.
void launch_linear_bf16(Queue& queue, const DeviceLimits& limits, const Linear& linear, const GlobalRows& rows,
                        const LinearEpilogue& epilogue, const int32_t* cancelled) noexcept;

}  // namespace gtr::cuda
