#include "block_heap.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define GTR_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GTR_ADDRESS_SANITIZER
#endif
#endif

#ifdef GTR_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#endif

namespace gtr {
namespace {

constexpr int64_t kHugePage = int64_t{2} << 20;
// Of address space: memory is used up to where blocks reach.
constexpr int64_t kRegionBytes = int64_t{64} << 20;
#ifdef GTR_ADDRESS_SANITIZER
constexpr int64_t kGap = GTR_ALIGNMENT;  // behind a block, so that who writes beyond its end is found out
#else
constexpr int64_t kGap = 0;
#endif

int64_t round_up(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

// What a block takes of its region.
int64_t extent(int64_t bytes) { return round_up(bytes, GTR_ALIGNMENT) + kGap; }

// Gives the huge pages that lie inside back to the system; they are zero when they are next touched.
void discard(char* begin, char* end) noexcept {
  const auto address = [](char* p) { return static_cast<int64_t>(reinterpret_cast<uintptr_t>(p)); };
  const int64_t first = round_up(address(begin), kHugePage) - address(begin);
  const int64_t past = (end - begin) - address(end) % kHugePage;
  if (past > first) madvise(begin + first, static_cast<size_t>(past - first), MADV_DONTNEED);
}

}  // namespace

// Stands at the start of the memory that is free.
struct alignas(GTR_ALIGNMENT) BlockHeap::FreeBlock {
  FreeBlock* next;  // by address
  int64_t bytes;

  char* begin() noexcept { return reinterpret_cast<char*>(this); }
  char* end() noexcept { return begin() + bytes; }
};

// Stands at the start of its own memory.
struct alignas(GTR_ALIGNMENT) BlockHeap::Region {
  Region* next;
  int64_t bytes;
  int64_t used;  // by blocks
  FreeBlock* free;

  bool contains(const void* data) const noexcept {
    const auto offset = reinterpret_cast<uintptr_t>(data) - reinterpret_cast<uintptr_t>(this);
    return offset < static_cast<uintptr_t>(bytes);
  }
};

BlockHeap::Region* BlockHeap::map_region(int64_t bytes) noexcept {
  void* memory = nullptr;
  if (posix_memalign(&memory, static_cast<size_t>(kHugePage), static_cast<size_t>(bytes)) != 0) return nullptr;
#ifdef MADV_HUGEPAGE
  madvise(memory, static_cast<size_t>(bytes), MADV_HUGEPAGE);  // advice: where the kernel refuses, nothing is lost
#endif
  auto* const region = new (memory) Region{nullptr, bytes, 0, nullptr};
  region->free = new (region + 1) FreeBlock{nullptr, bytes - static_cast<int64_t>(sizeof(Region))};
  ASAN_POISON_MEMORY_REGION(region->free + 1, static_cast<size_t>(region->free->end() - (region->free + 1)->begin()));
  return region;
}

// The first free block that is large enough, or null.
void* BlockHeap::take(Region& region, int64_t bytes) noexcept {
  const int64_t need = extent(bytes);
  for (FreeBlock** link = &region.free; *link != nullptr; link = &(*link)->next) {
    FreeBlock* const found = *link;
    if (found->bytes < need) continue;
    FreeBlock* rest = found->next;
    if (found->bytes > need) {
      char* const at = found->begin() + need;
      ASAN_UNPOISON_MEMORY_REGION(at, sizeof(FreeBlock));
      rest = new (at) FreeBlock{found->next, found->bytes - need};
    }
    *link = rest;
    region.used += need;
    ASAN_POISON_MEMORY_REGION(found, sizeof(FreeBlock));
    ASAN_UNPOISON_MEMORY_REGION(found, static_cast<size_t>(bytes));
    return found;
  }
  return nullptr;
}

void BlockHeap::give_back(Region& region, void* data, int64_t bytes) noexcept {
  const int64_t freed = extent(bytes);
  ASAN_POISON_MEMORY_REGION(data, static_cast<size_t>(bytes));
  ASAN_UNPOISON_MEMORY_REGION(data, sizeof(FreeBlock));
  FreeBlock* before = nullptr;
  FreeBlock** link = &region.free;
  while (*link != nullptr && *link < data) {
    before = *link;
    link = &before->next;
  }
  auto* block = new (data) FreeBlock{*link, freed};
  *link = block;
  if (block->next != nullptr && block->end() == block->next->begin()) {
    FreeBlock* const after = block->next;
    block->bytes += after->bytes;
    block->next = after->next;
    ASAN_POISON_MEMORY_REGION(after, sizeof(FreeBlock));
  }
  if (before != nullptr && before->end() == block->begin()) {
    before->bytes += block->bytes;
    before->next = block->next;
    ASAN_POISON_MEMORY_REGION(block, sizeof(FreeBlock));
    block = before;
  }
  region.used -= freed;
  discard((block + 1)->begin(), block->end());
}

void* BlockHeap::allocate(int64_t bytes) noexcept {
  const std::lock_guard<Mutex> lock(mutex_);
  Region** link = &regions_;
  for (; *link != nullptr; link = &(*link)->next) {
    if (void* const data = take(**link, bytes)) return data;
  }
  const int64_t least = round_up(extent(bytes) + static_cast<int64_t>(sizeof(Region)), kHugePage);
  Region* region = map_region(std::max(least, kRegionBytes));
  if (region == nullptr) region = map_region(least);  // where address space is scarce
  if (region == nullptr) return nullptr;
  *link = region;
  return take(*region, bytes);
}

void BlockHeap::release(void* data, int64_t bytes) noexcept {
  const std::lock_guard<Mutex> lock(mutex_);
  Region** link = &regions_;
  while (!(*link)->contains(data)) link = &(*link)->next;
  Region* const region = *link;
  give_back(*region, data, bytes);
  if (region->used == 0) {
    *link = region->next;
    ASAN_UNPOISON_MEMORY_REGION(region, static_cast<size_t>(region->bytes));
    std::free(region);
  }
}

}  // namespace gtr
