// The bf16 kernels of `linear`, and which of them a call takes: the choice depends on rows, outputs and the number of
// multiprocessors, and changes no bit.
#pragma once

#include "linear_epilogue.h"
#include "linear_stream.h"
#include "linear_weights.h"

namespace gtr::cuda {

// Above, tiles: a block would have to read more of x than of W for each of its columns.
constexpr int64_t kStreamedRows = 32;
// Up to here W is streamed if a wave of blocks can have all of it: a tile of tall products would be as high, and most
// of what it takes for as few steps is its beginning and end.
constexpr int64_t kStreamedRowsOfOneWave = 64;

// Enqueues y = epilogue(rows W^T). cancelled: as Context::cancelled; once it is not 0 the kernels compute nothing.
void launch_linear_bf16(Queue& queue, const DeviceLimits& limits, const Linear& linear, const GlobalRows& rows,
                        const LinearEpilogue& epilogue, const int32_t* cancelled) noexcept;

}  // namespace gtr::cuda
