// Where an operation's launches and copies go: a stream, or a graph that is being built of explicit nodes.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(GTR_CUDA_EMU)
#include "emu/cuda_runtime.h"
#else
#include <cuda_runtime.h>
#endif

namespace gtr::cuda {

struct Queue {
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;      // null: on the stream at once
  cudaGraphNode_t last = nullptr;   // of the graph; a new node runs after it
  cudaError_t error = cudaSuccess;  // the first failure since the operation began
  bool overlaps = false;            // launch_dependent: the device can, DeviceLimits::overlaps_launches

  void note(cudaError_t result) noexcept {
    if (error == cudaSuccess) error = result;
  }
};

}  // namespace gtr::cuda
