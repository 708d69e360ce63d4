#include "processors.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace gtr::cpu {

void ProcessorSet::add(int processor) noexcept {
  if (processor >= 0 && processor < kMost) words_[processor / 64] |= uint64_t{1} << processor % 64;
}

bool ProcessorSet::contains(int processor) const noexcept {
  return processor >= 0 && processor < kMost && (words_[processor / 64] >> processor % 64 & 1) != 0;
}

#if defined(__linux__)

int current_processor() noexcept { return sched_getcpu(); }

bool move_off(pthread_t thread, const ProcessorSet& taken) noexcept {
  static_assert(ProcessorSet::kMost == CPU_SETSIZE, "all that a mask may have");
  cpu_set_t allowed;
  if (pthread_getaffinity_np(thread, sizeof allowed, &allowed) != 0) return false;
  cpu_set_t others = allowed;
  for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (taken.contains(processor)) CPU_CLR(processor, &others);
  }
  if (CPU_COUNT(&others) == 0 || pthread_setaffinity_np(thread, sizeof others, &others) != 0) return false;
  pthread_setaffinity_np(thread, sizeof allowed, &allowed);
  return true;
}

#else

int current_processor() noexcept { return -1; }

bool move_off(pthread_t, const ProcessorSet&) noexcept { return false; }

#endif

}  // namespace gtr::cpu
