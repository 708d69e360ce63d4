#include "runtime_errors.h"

#include <cstdio>

namespace gtr::cuda {

ErrorText::ErrorText(cudaError_t error) noexcept {
  std::snprintf(text, sizeof text, "%s (%s)", cudaGetErrorName(error), cudaGetErrorString(error));
}

VersionText::VersionText(int version) noexcept {
  std::snprintf(text, sizeof text, "%d.%d", version / 1000, version % 1000 / 10);
}

}  // namespace gtr::cuda
