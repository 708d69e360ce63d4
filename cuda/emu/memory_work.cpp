#include "memory_work.h"

#include <cstring>
#include <memory>
#include <vector>

#include "device_memory.h"

using namespace gtr::cuda::emu;

namespace {

bool is_pageable(const void* address) { return !is_device_memory(address) && !is_pinned_memory(address); }

bool fits(const void* target, const void* source, cudaMemcpyKind kind) {
  switch (kind) {
    case cudaMemcpyHostToHost:
      return !is_device_memory(target) && !is_device_memory(source);
    case cudaMemcpyHostToDevice:
      return is_device_memory(target) && !is_device_memory(source);
    case cudaMemcpyDeviceToHost:
      return !is_device_memory(target) && is_device_memory(source);
    case cudaMemcpyDeviceToDevice:
      return is_device_memory(target) && is_device_memory(source);
    case cudaMemcpyDefault:
      return true;
  }
  return false;
}

}  // namespace

namespace gtr::cuda::emu {

cudaError_t copy_work(void* target, const void* source, size_t bytes, cudaMemcpyKind kind, Work* work) {
  const cudaError_t state = check_device();
  if (state != cudaSuccess) return state;
  if (!fits(target, source, kind)) return cudaErrorInvalidValue;
  work->run = [target, source, bytes] {
    std::memmove(target, source, bytes);
    return cudaSuccess;
  };
  return cudaSuccess;
}

cudaError_t fill_work(void* target, int value, size_t bytes, Work* work) {
  const cudaError_t state = check_device();
  if (state != cudaSuccess) return state;
  if (!is_global_memory(target)) return cudaErrorInvalidValue;
  work->run = [target, value, bytes] {
    std::memset(target, value, bytes);
    return cudaSuccess;
  };
  return cudaSuccess;
}

}  // namespace gtr::cuda::emu

extern "C" {

cudaError_t cudaMemcpyAsync(void* target, const void* source, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  Work work;
  cudaError_t error = copy_work(target, source, bytes, kind, &work);
  if (error != cudaSuccess || bytes == 0) return note(error);
  if (is_pageable(source)) {
    const auto* first = static_cast<const unsigned char*>(source);
    const auto staged = std::make_shared<std::vector<unsigned char>>(first, first + bytes);
    work.run = [target, staged] {
      std::memcpy(target, staged->data(), staged->size());
      return cudaSuccess;
    };
  }
  enqueue(stream, std::move(work));
  return note(is_pageable(target) ? synchronize(stream) : cudaSuccess);
}

cudaError_t cudaMemcpy(void* target, const void* source, size_t bytes, cudaMemcpyKind kind) {
  const cudaError_t error = cudaMemcpyAsync(target, source, bytes, kind, nullptr);
  return note(error != cudaSuccess ? error : synchronize(nullptr));
}

cudaError_t cudaMemsetAsync(void* target, int value, size_t bytes, cudaStream_t stream) {
  Work work;
  const cudaError_t error = fill_work(target, value, bytes, &work);
  if (error != cudaSuccess || bytes == 0) return note(error);
  enqueue(stream, std::move(work));
  return cudaSuccess;
}

cudaError_t cudaMemset(void* target, int value, size_t bytes) {
  const cudaError_t error = cudaMemsetAsync(target, value, bytes, nullptr);
  return note(error != cudaSuccess ? error : synchronize(nullptr));
}

}  // extern "C"
