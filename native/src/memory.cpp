#include "memory.h"

#include <cstdlib>

namespace gtr {
namespace {

constexpr int64_t kMostBytes = int64_t{1} << 56;  // whose sum with what a heap adds is a number

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
  if (bytes <= 0 || bytes > kMostBytes || allocation_must_fail()) return nullptr;
  void* data = nullptr;
  if (bytes >= BlockHeap::kLeastBytes) {
    data = large_.allocate(bytes);
    if (data == nullptr) return nullptr;
  } else if (posix_memalign(&data, static_cast<size_t>(GTR_ALIGNMENT), static_cast<size_t>(bytes)) != 0) {
    return nullptr;
  }
  count(bytes);
  return data;
}

void DeviceMemory::release(void* data, int64_t bytes) noexcept {
  if (data == nullptr) return;
  if (bytes >= BlockHeap::kLeastBytes) {
    large_.release(data, bytes);
  } else {
    std::free(data);
  }
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
