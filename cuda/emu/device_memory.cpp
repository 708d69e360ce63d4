#include "device_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "fibre.h"
#include "settings.h"

#if defined(GTR_EMU_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace gtr::cuda::emu {
namespace {

constexpr size_t kAlignment = 256;
constexpr size_t kReserved = size_t{1} << 40;  // of addresses, not of memory
constexpr int kUndefined = 0xFF;

size_t round_up(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// An allocation's pages; its bytes end at their end, rounded up to kAlignment, so that the page behind catches whoever
// goes on reading.
struct Allocation {
  unsigned char* pages;
  size_t page_bytes;
  size_t bytes;
};

class Arena {
 public:
  Arena() : page_(static_cast<size_t>(sysconf(_SC_PAGESIZE))) {
    void* mapping = mmap(nullptr, kReserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) {
      std::fprintf(stderr, "cuda-emu: no address space for the memory of the device\n");
      std::abort();
    }
    base_ = static_cast<unsigned char*>(mapping);
    next_ = base_;
  }

  bool contains(const void* address) const {
    return reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(base_) < kReserved;
  }

  cudaError_t allocate(void** data, size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const size_t page_bytes = round_up(round_up(bytes, kAlignment), page_);
    // Addresses are never used again: a dangling pointer meets a closed page.
    if (live_bytes_ + bytes > static_cast<size_t>(settings().memory_bytes) ||
        page_bytes + 2 * page_ > static_cast<size_t>(base_ + kReserved - next_)) {
      return cudaErrorMemoryAllocation;
    }
    unsigned char* pages = next_ + page_;
    if (mprotect(pages, page_bytes, PROT_READ | PROT_WRITE) != 0) return cudaErrorMemoryAllocation;
    next_ = pages + page_bytes;
    unsigned char* start = pages + page_bytes - round_up(bytes, kAlignment);
    std::memset(pages, kUndefined, page_bytes);
#if defined(GTR_EMU_ASAN)
    ASAN_POISON_MEMORY_REGION(pages, page_bytes);
    ASAN_UNPOISON_MEMORY_REGION(start, bytes);
#endif
    if (settings().protect && !open_) mprotect(pages, page_bytes, PROT_NONE);
    allocations_[start] = {pages, page_bytes, bytes};
    live_bytes_ += bytes;
    *data = start;
    return cudaSuccess;
  }

  cudaError_t release(void* data) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = allocations_.find(static_cast<unsigned char*>(data));
    if (found == allocations_.end()) return cudaErrorInvalidValue;
    const Allocation& allocation = found->second;
    madvise(allocation.pages, allocation.page_bytes, MADV_DONTNEED);
    mprotect(allocation.pages, allocation.page_bytes, PROT_NONE);
#if defined(GTR_EMU_ASAN)
    ASAN_POISON_MEMORY_REGION(allocation.pages, allocation.page_bytes);
#endif
    live_bytes_ -= allocation.bytes;
    allocations_.erase(found);
    return cudaSuccess;
  }

  void set_open(bool open) {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = open;
    if (!settings().protect) return;
    for (const auto& entry : allocations_) {
      mprotect(entry.second.pages, entry.second.page_bytes, open ? PROT_READ | PROT_WRITE : PROT_NONE);
    }
  }

  size_t live_bytes() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return live_bytes_;
  }

 private:
  const size_t page_;
  unsigned char* base_;
  unsigned char* next_;
  std::mutex mutex_;
  std::map<unsigned char*, Allocation> allocations_;
  size_t live_bytes_ = 0;
  bool open_ = false;
};

Arena& arena() {
  static Arena& instance = *new Arena;  // outlives whatever is freed at exit
  return instance;
}

class Pinned {
 public:
  cudaError_t allocate(void** data, size_t bytes) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    *data = std::aligned_alloc(page, round_up(bytes, page));
    if (*data == nullptr) return cudaErrorMemoryAllocation;
    std::memset(*data, kUndefined, round_up(bytes, page));
#if defined(GTR_EMU_ASAN)
    ASAN_POISON_MEMORY_REGION(static_cast<unsigned char*>(*data) + bytes, round_up(bytes, page) - bytes);
#endif
    const std::lock_guard<std::mutex> lock(mutex_);
    ranges_[static_cast<unsigned char*>(*data)] = bytes;
    return cudaSuccess;
  }

  cudaError_t release(void* data) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = ranges_.find(static_cast<unsigned char*>(data));
    if (found == ranges_.end()) return cudaErrorInvalidValue;
#if defined(GTR_EMU_ASAN)
    ASAN_UNPOISON_MEMORY_REGION(data, round_up(found->second, static_cast<size_t>(sysconf(_SC_PAGESIZE))));
#endif
    std::free(data);
    ranges_.erase(found);
    return cudaSuccess;
  }

  bool contains(const void* address) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto* byte = static_cast<const unsigned char*>(address);
    auto after = ranges_.upper_bound(const_cast<unsigned char*>(byte));
    if (after == ranges_.begin()) return false;
    --after;
    return byte < after->first + after->second;
  }

 private:
  std::mutex mutex_;
  std::map<unsigned char*, size_t> ranges_;
};

Pinned& pinned() {
  static Pinned& instance = *new Pinned;
  return instance;
}

}  // namespace

bool is_device_memory(const void* address) { return arena().contains(address); }
bool is_pinned_memory(const void* address) { return pinned().contains(address); }
bool is_global_memory(const void* address) { return is_device_memory(address) || is_pinned_memory(address); }

OpenDeviceMemory::OpenDeviceMemory() { arena().set_open(true); }
OpenDeviceMemory::~OpenDeviceMemory() { arena().set_open(false); }

cudaError_t allocate_device_memory(void** data, size_t bytes) { return arena().allocate(data, bytes); }
cudaError_t free_device_memory(void* data) { return arena().release(data); }
cudaError_t allocate_pinned_memory(void** data, size_t bytes) { return pinned().allocate(data, bytes); }
cudaError_t free_pinned_memory(void* data) { return pinned().release(data); }
size_t live_device_bytes() { return arena().live_bytes(); }

}  // namespace gtr::cuda::emu
