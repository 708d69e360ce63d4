// Counted memory of one device. Every allocation of the library goes through here, so that gtr_memory_get_stats is
// the whole truth and gtr_test_fail_allocation reaches each of them.
#pragma once

#include <atomic>
#include <cstdint>

#include "block_heap.h"
#include "gtr/gtr.h"

namespace gtr {

class DeviceMemory {
 public:
  // Host memory aligned to GTR_ALIGNMENT, or null if there is none. The size is counted until it is released.
  void* allocate(int64_t bytes) noexcept;
  // Null is a no-op. bytes: as allocated.
  void release(void* data, int64_t bytes) noexcept;

  // For backends whose memory does not come from allocate (a GPU's): counts bytes, negative to give back.
  void count(int64_t bytes) noexcept;

  int64_t live_bytes() const noexcept { return live_.load(std::memory_order_relaxed); }
  int64_t peak_bytes() const noexcept { return peak_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> live_{0};
  std::atomic<int64_t> peak_{0};
  BlockHeap large_;
};

// True if this allocation is the one that gtr_test_fail_allocation asked to fail. Called once per allocation.
bool allocation_must_fail() noexcept;

}  // namespace gtr
