// The entry of libgtr_cuda, and its side of the boundary: what errors.h and memory.h declare is forwarded to libgtr, so
// that all other files here use them as those of libgtr do.
#include <cstdarg>
#include <cstdio>

#include "errors.h"
#include "memory.h"
#include "plugin.h"

namespace gtr {

namespace cuda {
extern const Backend backend;  // backend.cu
}

namespace {
const Services* services = nullptr;  // set before any other call
}

gtr_status fail(gtr_status status, const char* operation, const char* argument, const char* format, ...) noexcept {
  char text[1001];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return services->fail(status, operation, argument, "%s", text);
}

bool allocation_must_fail() noexcept { return services->allocation_must_fail(); }

void* DeviceMemory::allocate(int64_t bytes) noexcept { return services->allocate(*this, bytes); }
void DeviceMemory::release(void* data, int64_t bytes) noexcept { services->release(*this, data, bytes); }
void DeviceMemory::count(int64_t bytes) noexcept { services->count(*this, bytes); }

}  // namespace gtr

extern "C" __attribute__((visibility("default"))) const gtr::Plugin* gtr_backend_plugin(
    uint32_t interface_version, const gtr::Services* services) noexcept {
  static const gtr::Plugin matching = {gtr::kPluginInterface, GTR_VERSION_STAMP, &gtr::cuda::backend};
  static const gtr::Plugin other = {gtr::kPluginInterface, GTR_VERSION_STAMP, nullptr};
  if (interface_version != gtr::kPluginInterface) return &other;
  gtr::services = services;
  return &matching;
}
