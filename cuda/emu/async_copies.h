// The asynchronous copies of one thread. A copy fills its target with NaN when it is issued, and writes the data when a
// wait has reached its group, so that whoever does not wait reads NaN. A thread may not return before it has waited.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gtr::cuda::emu {

class AsyncCopies {
 public:
  static constexpr size_t kBytes = 16;

  // Both aligned to 16. Zeros if not valid.
  void issue(void* target, const void* source, bool valid);
  void commit() { ++open_group_; }
  // Finishes all but the `younger` youngest groups. Null, or what is wrong with how the copies were used.
  const char* wait(unsigned younger);
  // True if the thread must not return yet: what is under way would be written to memory that is another block's by
  // then.
  bool is_under_way() const { return first_ < copies_.size(); }
  // For the next kernel.
  void forget();

 private:
  struct Copy {
    unsigned char* target;
    const void* source;
    uint64_t group;
    bool valid;
    unsigned char data[kBytes];  // as it was when the copy was issued
  };

  std::vector<Copy> copies_;  // from first_ on under way
  size_t first_ = 0;
  uint64_t open_group_ = 0;
};

}  // namespace gtr::cuda::emu
