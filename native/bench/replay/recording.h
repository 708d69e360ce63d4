// Calls of the C ABI with everything that they refer to, so that they can be made again when their caller has gone on.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "gtr/gtr.h"

namespace gtr::bench {

// What a copy to the host brought when it was recorded, and what it brings in a run.
struct Fetch {
  std::vector<char> expected;
  std::vector<char> fetched;
};

class Recording {
 public:
  // The process's only one.
  static Recording& instance();

  bool is_on() const { return on_.load(std::memory_order_acquire); }
  void start();
  // How many calls there are.
  int64_t stop();

  // A call on a stream of the caller's, as one that takes any.
  using Call = std::function<gtr_status(gtr_stream*)>;
  void add(gtr_stream* stream, Call call);
  void add(gtr_stream* stream, Call call, std::shared_ptr<Fetch> fetch);

  // Seconds that all calls take on this stream. Throws if one fails, or if the host gets other bytes.
  double run(gtr_stream* stream);

  // That of the first call. Throws if there is none.
  gtr_device* device() const;

  void created(gtr_stream* stream, gtr_device* device);
  void destroyed(gtr_stream* stream);
  // Time in a call that was passed on.
  void spent(std::chrono::steady_clock::duration time) { spent_.fetch_add(time.count(), std::memory_order_relaxed); }
  // What was spent since this was asked last, in seconds.
  double take_spent();

  void allocated(const void* data, int32_t space, int64_t bytes);
  void freed(const void* data);
  // Whether it lies in memory that was allocated as the host's.
  bool is_host(const void* data) const;

 private:
  std::atomic<bool> on_{false};
  std::atomic<std::chrono::steady_clock::rep> spent_{0};
  mutable std::mutex mutex_;  // of what follows
  std::vector<Call> calls_;
  std::vector<std::shared_ptr<Fetch>> fetches_;
  gtr_device* device_ = nullptr;
  std::map<const char*, int64_t> host_;  // sizes of the host's blocks
  std::map<gtr_stream*, gtr_device*> streams_;
};

}  // namespace gtr::bench
