#include "registry.h"

#include <mutex>

#include "backend.h"
#include "mutex.h"
#include "plugin_loader.h"

namespace gtr {

namespace cpu {
extern const Backend backend;  // native/cpu/backend.cpp
}

namespace {

// Looked for once, by the first who asks: what was found then holds for the life of the process.
BackendEntry find_cuda() noexcept {
  static Mutex mutex;
  static bool looked = false;
  static BackendEntry found = {nullptr, nullptr};
  static char sentence[512];
  const std::lock_guard<Mutex> lock(mutex);
  if (!looked) {
    found = load_cuda_backend(sentence, sizeof sentence);
    looked = true;
  }
  return found;
}

}  // namespace

BackendEntry find_backend(gtr_backend id) noexcept {
  return id == GTR_BACKEND_CPU ? BackendEntry{&cpu::backend, nullptr} : find_cuda();
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
