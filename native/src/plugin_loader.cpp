#include "plugin_loader.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "errors.h"

namespace gtr {
namespace {

constexpr char kEnvironment[] = "GTR_CUDA_LIBRARY";

const Services services = {
    fail,
    allocation_must_fail,
    [](DeviceMemory& memory, int64_t bytes) noexcept { return memory.allocate(bytes); },
    [](DeviceMemory& memory, void* data, int64_t bytes) noexcept { memory.release(data, bytes); },
    [](DeviceMemory& memory, int64_t bytes) noexcept { memory.count(bytes); },
};

// The path beside the file that this code was loaded from; false if it does not fit.
bool path_beside_libgtr(char* path, size_t size) noexcept {
  Dl_info info = {};
  const bool known = dladdr(&services, &info) != 0 && info.dli_fname != nullptr;
  const char* self = known ? info.dli_fname : "";
  const char* slash = std::strrchr(self, '/');
  const int folder = slash == nullptr ? 0 : static_cast<int>(slash + 1 - self);
  const int length = std::snprintf(path, size, "%.*s%s", slash == nullptr ? 2 : folder, slash == nullptr ? "./" : self,
                                   GTR_CUDA_LIBRARY_NAME);
  return length > 0 && static_cast<size_t>(length) < size;
}

}  // namespace

BackendEntry load_cuda_backend(char* sentence, size_t size) noexcept {
  const auto absent = [&](const char* format, auto... values) {
    std::snprintf(sentence, size, format, values...);
    return BackendEntry{nullptr, sentence};
  };

  char beside[4096];
  const char* path = std::getenv(kEnvironment);
  const bool is_named = path != nullptr && path[0] != '\0';
  if (!is_named) {
    path = beside;
    if (!path_beside_libgtr(beside, sizeof beside)) return absent("the path of libgtr is longer than a path can be");
    if (access(path, F_OK) != 0) {
      return absent("%s is not beside libgtr; the classifier linux-x86_64-gpu brings it", GTR_CUDA_LIBRARY_NAME);
    }
  } else if (access(path, F_OK) != 0) {
    return absent("there is no file \"%.150s\", which %s names", path, kEnvironment);
  }

  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = dlerror();
    return absent("%.150s cannot be loaded: %.300s", path, reason == nullptr ? "no reason given" : reason);
  }
  void* symbol = dlsym(library, kPluginSymbol);
  if (symbol == nullptr) {
    dlclose(library);
    return absent("%.150s is no backend of gtr4j: it lacks the function %s", path, kPluginSymbol);
  }
  PluginEntry entry = nullptr;
  std::memcpy(&entry, &symbol, sizeof entry);
  const Plugin* plugin = entry(kPluginInterface, &services);
  if (plugin->interface_version != kPluginInterface || plugin->backend == nullptr) {
    absent("%.150s is of gtr4j %.40s (interface %u), libgtr of %s (interface %u); both must come from one build", path,
           plugin->version, plugin->interface_version, gtr_version(), kPluginInterface);
    dlclose(library);
    return {nullptr, sentence};
  }
  return {plugin->backend, nullptr};
}

}  // namespace gtr
