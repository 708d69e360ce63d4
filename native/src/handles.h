// What the opaque handles of gtr.h are.
#pragma once

#include <atomic>
#include <cstdint>
#include <new>
#include <utility>

#include "allocation_table.h"
#include "backend.h"
#include "gtr/gtr.h"
#include "memory.h"
#include "mutex.h"
#include "use_count.h"

struct gtr_device {
  const gtr::Backend* backend = nullptr;
  gtr::BackendDevice* implementation = nullptr;
  gtr_device_info info = {};
  gtr::DeviceMemory memory;
  gtr::AllocationTable allocations;
  std::atomic<int64_t> streams{0};
  std::atomic<int64_t> linears{0};
  std::atomic<int64_t> heads{0};

  int64_t handles() const noexcept {
    return streams.load(std::memory_order_relaxed) + linears.load(std::memory_order_relaxed) +
           heads.load(std::memory_order_relaxed);
  }
};

struct gtr_stream {
  gtr_device* device;
  gtr::BackendStream* implementation = nullptr;
  std::atomic<bool> cancelled{false};
  gtr::Mutex cancelling;  // who changes the flag
  mutable gtr::UseCount use;

  explicit gtr_stream(gtr_device* owner) noexcept : device(owner) {}
};

struct gtr_linear_weights {
  gtr_device* device;
  gtr::BackendLinear* implementation = nullptr;
  int64_t outputs;
  int64_t inputs;
  gtr_precision precision;
  mutable gtr::UseCount use;

  gtr_linear_weights(gtr_device* owner, int64_t out, int64_t in, gtr_precision arithmetic) noexcept
      : device(owner), outputs(out), inputs(in), precision(arithmetic) {}
};

struct gtr_head {
  gtr_device* device;
  gtr::BackendHead* implementation = nullptr;
  gtr_head_shape shape;
  gtr_precision precision;
  mutable gtr::UseCount use;

  gtr_head(gtr_device* owner, const gtr_head_shape& sizes, gtr_precision arithmetic) noexcept
      : device(owner), shape(sizes), precision(arithmetic) {}
};

namespace gtr {

// Handles live in the counted memory of their device. Null if memory is out.
template <typename Handle, typename... Arguments>
Handle* create_handle(DeviceMemory& memory, Arguments&&... arguments) noexcept {
  void* place = memory.allocate(sizeof(Handle));
  return place == nullptr ? nullptr : new (place) Handle(std::forward<Arguments>(arguments)...);
}

template <typename Handle>
void destroy_handle(DeviceMemory& memory, Handle* handle) noexcept {
  handle->~Handle();
  memory.release(handle, sizeof(Handle));
}

}  // namespace gtr
