// The live results of gtr_allocate, so that gtr_free knows their sizes and refuses every other address without
// touching what lies there.
#pragma once

#include <atomic>
#include <cstdint>

#include "gtr/gtr.h"
#include "memory.h"
#include "mutex.h"

namespace gtr {

class AllocationTable {
 public:
  struct Entry {
    Entry* next;
    void* data;  // null in an entry that is not in the table yet
    int64_t bytes;
    gtr_memory_space space;
  };

  // An entry to be filled and inserted, or null if memory is out. Taken before the memory itself, so that the insertion
  // cannot fail.
  static Entry* create_entry(DeviceMemory& memory) noexcept;
  static void destroy_entry(DeviceMemory& memory, Entry* entry) noexcept;

  void insert(Entry* entry) noexcept;

  // Takes the entry of exactly this address out of the table; null if there is none. The caller destroys it.
  Entry* remove(const void* data) noexcept;

  int64_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kBuckets = 1024;  // an engine holds hundreds of buffers
  Entry** bucket(const void* data) noexcept;

  Mutex mutex_;
  std::atomic<int64_t> size_{0};
  Entry* buckets_[kBuckets] = {};
};

}  // namespace gtr
