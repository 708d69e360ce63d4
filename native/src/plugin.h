// The boundary between libgtr and a backend that is a shared library of its own (libgtr_cuda). That library exports one
// function, gtr_backend_plugin, and calls nothing of libgtr by name: what it needs comes to it as Services. Both sides
// are compiled from this header and backend.h, and refuse each other unless it was the same one.
#pragma once

#include <cstdint>

#include "backend.h"
#include "gtr/gtr.h"
#include "memory.h"

namespace gtr {

// What a backend needs of libgtr's own state; the functions of errors.h and memory.h.
struct Services {
  gtr_status (*fail)(gtr_status status, const char* operation, const char* argument, const char* format, ...) noexcept;
  bool (*allocation_must_fail)() noexcept;
  void* (*allocate)(DeviceMemory& memory, int64_t bytes) noexcept;
  void (*release)(DeviceMemory& memory, void* data, int64_t bytes) noexcept;
  void (*count)(DeviceMemory& memory, int64_t bytes) noexcept;
};

// Changes with every change of meaning or layout in this header, backend.h, or of gtr.h.
constexpr uint32_t kPluginInterface = (uint32_t{GTR_ABI_VERSION} << 16) | 3;
static_assert(sizeof(Backend) == 39 * sizeof(void*) && sizeof(Services) == 5 * sizeof(void*) &&
                  sizeof(DeviceMemory) == 3 * sizeof(int64_t) + sizeof(Mutex),
              "raise the lower half of kPluginInterface, then correct the sizes here");

// What the backend's library answers. The first two members stay where they are in every version.
struct Plugin {
  uint32_t interface_version;  // kPluginInterface of the library
  const char* version;         // its GTR_VERSION_STAMP
  const Backend* backend;      // null if interface_version is not the one that the caller named
};

// The exported function: called once, before anything else of the library. services outlive the process.
constexpr char kPluginSymbol[] = "gtr_backend_plugin";
using PluginEntry = const Plugin* (*)(uint32_t interface_version, const Services* services) noexcept;

}  // namespace gtr
