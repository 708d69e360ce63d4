#include "memory.h"

#include <sys/mman.h>

#include <cstdlib>

namespace gtr {
namespace {

// Large blocks (packed weights) start at a huge page and ask for huge pages, which saves most TLB misses when a
// product streams through them. It is advice: where the kernel refuses, nothing is lost.
constexpr int64_t kHugePage = int64_t{2} << 20;
constexpr int64_t kHugePageThreshold = kHugePage;

// How many allocations are left until the one that must fail; 0: none.
std::atomic<int64_t> allocations_until_failure{0};

}  // namespace

bool allocation_must_fail() noexcept {
  int64_t left = allocations_until_failure.load(std::memory_order_relaxed);
  while (left > 0) {
    if (allocations_until_failure.compare_exchange_weak(left, left - 1, std::memory_order_relaxed)) return left == 1;
  }
  return false;
}

void* DeviceMemory::allocate(int64_t bytes) noexcept {
  if (bytes <= 0 || bytes > INT64_MAX - kHugePage || allocation_must_fail()) return nullptr;
  const bool huge = bytes >= kHugePageThreshold;
  const int64_t alignment = huge ? kHugePage : GTR_ALIGNMENT;
  void* data = nullptr;
  if (posix_memalign(&data, static_cast<size_t>(alignment), static_cast<size_t>(bytes)) != 0) return nullptr;
#ifdef MADV_HUGEPAGE
  if (huge) madvise(data, static_cast<size_t>(bytes), MADV_HUGEPAGE);
#endif
  count(bytes);
  return data;
}

void DeviceMemory::release(void* data, int64_t bytes) noexcept {
  if (data == nullptr) return;
  std::free(data);
  count(-bytes);
}

void DeviceMemory::count(int64_t bytes) noexcept {
  const int64_t live = live_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  int64_t peak = peak_.load(std::memory_order_relaxed);
  while (live > peak && !peak_.compare_exchange_weak(peak, live, std::memory_order_relaxed)) {
  }
}

}  // namespace gtr

void gtr_test_fail_allocation(int64_t nth) {
  gtr::allocations_until_failure.store(nth > 0 ? nth : 0, std::memory_order_relaxed);
}
