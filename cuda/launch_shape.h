// Host: what a launch can count on. How rows are aligned, and how many blocks there can be.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gtr/gtr.h"
#include "queue.h"
#include "tensor_view.h"

namespace gtr::cuda {

// How many units hold the value, which is not negative.
constexpr int64_t divide_up(int64_t value, int64_t unit) noexcept { return (value + unit - 1) / unit; }

// Every row of a matrix, or the vector, starts at a multiple of `elements` elements.
inline bool rows_aligned(const gtr_tensor& tensor, int64_t elements) noexcept {
  const int64_t bytes = elements * element_size(tensor.dtype);
  const bool first = reinterpret_cast<uintptr_t>(tensor.data) % static_cast<uintptr_t>(bytes) == 0;
  return first && (tensor.rank == 1 || tensor.shape[0] <= 1 || tensor.stride[0] % elements == 0);
}

// A one-dimensional grid of `blocks` blocks, or of as many as there can be: its kernels take every gridDim.x-th piece.
inline dim3 grid_of(int64_t blocks) noexcept {
  return dim3(static_cast<unsigned>(std::min<int64_t>(blocks, INT32_MAX)));
}

}  // namespace gtr::cuda
