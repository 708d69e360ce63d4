// Copies and fills as pieces of work for streams and graphs.
#pragma once

#include "stream.h"

namespace gtr::cuda::emu {

// Reads the source and writes the target when it runs.
cudaError_t copy_work(void* target, const void* source, size_t bytes, cudaMemcpyKind kind, Work* work);
cudaError_t fill_work(void* target, int value, size_t bytes, Work* work);

}  // namespace gtr::cuda::emu
