#include "out_of_memory.h"

#include <cstdarg>
#include <cstdio>

#include "errors.h"

namespace gtr {

gtr_status fail_out_of_memory(const gtr_device& device, const char* operation, const char* argument, const char* format,
                              ...) noexcept {
  char what[200];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  char free_text[96] = "";
  int64_t free = 0;
  int64_t total = 0;
  const Backend& backend = *device.backend;
  if (backend.free_memory != nullptr && backend.free_memory(device.implementation, &free, &total)) {
    std::snprintf(free_text, sizeof free_text, ", and %lld of its %lld are free", static_cast<long long>(free),
                  static_cast<long long>(total));
  }
  return fail(GTR_ERROR_OUT_OF_MEMORY, operation, argument, "no memory for %s; the device holds %lld bytes%s", what,
              static_cast<long long>(device.memory.live_bytes()), free_text);
}

}  // namespace gtr
