#include "allocation_table.h"

#include <mutex>
#include <new>

namespace gtr {

AllocationTable::Entry* AllocationTable::create_entry(DeviceMemory& memory) noexcept {
  void* place = memory.allocate(sizeof(Entry));
  return place == nullptr ? nullptr : new (place) Entry{nullptr, nullptr, 0, GTR_MEMORY_DEVICE};
}

void AllocationTable::destroy_entry(DeviceMemory& memory, Entry* entry) noexcept {
  memory.release(entry, sizeof(Entry));
}

AllocationTable::Entry** AllocationTable::bucket(const void* data) noexcept {
  // Addresses are multiples of GTR_ALIGNMENT; the multiplication spreads what is left over the upper bits.
  const uint64_t key = reinterpret_cast<uintptr_t>(data) / GTR_ALIGNMENT;
  return &buckets_[(key * 0x9E3779B97F4A7C15u) >> 54];
}

void AllocationTable::insert(Entry* entry) noexcept {
  const std::lock_guard<Mutex> lock(mutex_);
  Entry** head = bucket(entry->data);
  entry->next = *head;
  *head = entry;
  size_.fetch_add(1, std::memory_order_relaxed);
}

AllocationTable::Entry* AllocationTable::remove(const void* data) noexcept {
  const std::lock_guard<Mutex> lock(mutex_);
  for (Entry** link = bucket(data); *link != nullptr; link = &(*link)->next) {
    if ((*link)->data == data) {
      Entry* entry = *link;
      *link = entry->next;
      size_.fetch_sub(1, std::memory_order_relaxed);
      return entry;
    }
  }
  return nullptr;
}

}  // namespace gtr
