// Who uses a handle right now. A guard against misuse that gtr.h forbids (a handle destroyed under a running call, a
// stream used by two threads at once): it turns the data race into GTR_ERROR_BUSY.
#pragma once

#include <atomic>
#include <cstdint>

namespace gtr {

class UseCount {
 public:
  // Shared with other users; false while somebody has it alone.
  bool try_share() noexcept {
    int32_t users = users_.load(std::memory_order_relaxed);
    while (users >= 0) {
      if (users_.compare_exchange_weak(users, users + 1, std::memory_order_acquire, std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }
  void end_share() noexcept { users_.fetch_sub(1, std::memory_order_release); }

  // Alone; false while there is any other user.
  bool try_alone() noexcept {
    int32_t nobody = 0;
    return users_.compare_exchange_strong(nobody, -1, std::memory_order_acquire, std::memory_order_relaxed);
  }
  void end_alone() noexcept { users_.store(0, std::memory_order_release); }

 private:
  std::atomic<int32_t> users_{0};  // -1: one who is alone
};

}  // namespace gtr
