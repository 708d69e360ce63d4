#include "registry.h"

#include "backend.h"

namespace gtr {

namespace cpu {
extern const Backend backend;  // native/cpu/backend.cpp
}

BackendEntry find_backend(gtr_backend id) noexcept {
  if (id == GTR_BACKEND_CPU) return {&cpu::backend, nullptr};
  return {nullptr, "this version of gtr4j has no CUDA backend"};
}

const char* backend_name(int32_t id) noexcept {
  switch (id) {
    case GTR_BACKEND_AUTO:
      return "auto";
    case GTR_BACKEND_CPU:
      return "cpu";
    case GTR_BACKEND_CUDA:
      return "cuda";
    default:
      return "unknown";
  }
}

}  // namespace gtr
