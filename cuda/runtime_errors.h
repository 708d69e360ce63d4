// What the CUDA runtime says, as text for messages.
#pragma once

#include <cstddef>

#include "queue.h"

namespace gtr::cuda {

// "cudaErrorIllegalAddress (an illegal memory access was encountered)"
struct ErrorText {
  explicit ErrorText(cudaError_t error) noexcept;
  char text[160];
};

// "13.0" of 13000, as the runtime numbers versions.
struct VersionText {
  explicit VersionText(int version) noexcept;
  char text[16];
};

}  // namespace gtr::cuda
