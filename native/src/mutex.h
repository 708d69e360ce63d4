// A lock for std::lock_guard. std::mutex reports failures by exceptions, which the library is compiled without.
#pragma once

#include <pthread.h>

namespace gtr {

class Mutex {
 public:
  Mutex() noexcept = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  // A default mutex that nobody locks twice on one thread: neither call can fail.
  void lock() noexcept { pthread_mutex_lock(&mutex_); }
  void unlock() noexcept { pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

}  // namespace gtr
