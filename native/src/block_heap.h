// Large blocks of one device, side by side on huge pages.
//
// A product passes over more memory than the TLB knows pages of 4 KiB; where weights come from memory that costs up to
// a tenth of its time. Blocks that start at a huge page each would leave a quarter of MAR-B's on small pages, or waste
// a quarter of the memory.
#pragma once

#include <cstdint>

#include "gtr/gtr.h"
#include "mutex.h"

namespace gtr {

// Any thread may call at any time. Memory goes back to the system with the last block of a region, and huge page by
// huge page in between.
class BlockHeap {
 public:
  // Bytes from which a block belongs here: what smaller ones touch of the TLB is no matter.
  static constexpr int64_t kLeastBytes = int64_t{64} << 10;

  BlockHeap() noexcept = default;
  BlockHeap(const BlockHeap&) = delete;
  BlockHeap& operator=(const BlockHeap&) = delete;

  // Aligned to GTR_ALIGNMENT and not initialised; null if there is no memory. bytes: positive.
  void* allocate(int64_t bytes) noexcept;
  // What allocate gave, with the same bytes.
  void release(void* data, int64_t bytes) noexcept;

 private:
  struct FreeBlock;
  struct Region;

  static Region* map_region(int64_t bytes) noexcept;
  static void* take(Region& region, int64_t bytes) noexcept;
  static void give_back(Region& region, void* data, int64_t bytes) noexcept;

  Mutex mutex_;
  Region* regions_ = nullptr;  // guarded by mutex_, as everything in them
};

}  // namespace gtr
