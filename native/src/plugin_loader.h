// Finds a backend that is a shared library of its own.
#pragma once

#include <cstddef>

#include "plugin.h"
#include "registry.h"

namespace gtr {

// Loads GTR_CUDA_LIBRARY_NAME from the folder that libgtr itself was loaded from, or the file that the environment
// variable GTR_CUDA_LIBRARY names. The library stays loaded. sentence: gets the text of BackendEntry::absent.
BackendEntry load_cuda_backend(char* sentence, size_t size) noexcept;

}  // namespace gtr
