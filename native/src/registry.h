// Which backends there are.
#pragma once

#include "backend.h"

namespace gtr {

// What the registry knows about a backend: its table, or why there is none.
struct BackendEntry {
  const Backend* backend;  // null if its library is absent
  const char* absent;      // one sentence, without a full stop; null if it is there
};

// id: GTR_BACKEND_CPU or GTR_BACKEND_CUDA. The first call for CUDA loads its library.
BackendEntry find_backend(gtr_backend id) noexcept;

// Backends in the order in which GTR_BACKEND_AUTO tries them.
constexpr gtr_backend kBackendPreference[] = {GTR_BACKEND_CUDA, GTR_BACKEND_CPU};

// Name for messages: "auto", "cpu", "cuda".
const char* backend_name(int32_t id) noexcept;

}  // namespace gtr
