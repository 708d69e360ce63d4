// Which processor a thread runs on, and keeping threads of a pool off each other's.
#pragma once

#include <pthread.h>

#include <cstdint>

namespace gtr::cpu {

// Of the calling thread; negative where the system does not tell.
int current_processor() noexcept;

// Processors by their numbers, up to kMost; others are left out.
class ProcessorSet {
 public:
  static constexpr int kMost = 1024;

  void add(int processor) noexcept;
  bool contains(int processor) const noexcept;

 private:
  uint64_t words_[kMost / 64] = {};
};

// Moves a thread of this process to a processor outside `taken`, if its affinity mask has one; does nothing if it runs
// on such a one. Its mask is afterwards what it was before: only where the thread is changes, and the kernel remains
// free to move it. A mask that somebody else sets in the same microseconds may be lost. False if it has none.
bool move_off(pthread_t thread, const ProcessorSet& taken) noexcept;

}  // namespace gtr::cpu
