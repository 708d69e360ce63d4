// The memory of the device, and host memory that the device can reach. Every allocation of the device lies between
// pages that nobody can touch, and the host can touch none of it.
#pragma once

#include <cstddef>

#include "cuda_runtime.h"

namespace gtr::cuda::emu {

// Device memory, or pinned host memory.
bool is_global_memory(const void* address);
bool is_device_memory(const void* address);
bool is_pinned_memory(const void* address);

// The device executes as long as one of these lives: its memory is open. One at a time.
class OpenDeviceMemory {
 public:
  OpenDeviceMemory();
  ~OpenDeviceMemory();
  OpenDeviceMemory(const OpenDeviceMemory&) = delete;
  OpenDeviceMemory& operator=(const OpenDeviceMemory&) = delete;
};

cudaError_t allocate_device_memory(void** data, size_t bytes);
cudaError_t free_device_memory(void* data);
cudaError_t allocate_pinned_memory(void** data, size_t bytes);
cudaError_t free_pinned_memory(void* data);
size_t live_device_bytes();

}  // namespace gtr::cuda::emu
