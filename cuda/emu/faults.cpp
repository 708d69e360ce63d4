#include "faults.h"

#include <atomic>
#include <cstdio>
#include <string>

#include "settings.h"

namespace {

// Counts down; the one that brings it from 1 to 0 fails.
class Countdown {
 public:
  explicit Countdown(int64_t nth) : left_(nth) {}
  void set(int64_t nth) { left_ = nth; }
  bool is_due() { return left_ > 0 && left_.fetch_sub(1) == 1; }

 private:
  std::atomic<int64_t> left_;
};

Countdown& launches() {
  static Countdown instance(gtr::cuda::emu::settings().fail_launch);
  return instance;
}

Countdown& allocations() {
  static Countdown instance(gtr::cuda::emu::settings().fail_allocation);
  return instance;
}

std::atomic<int64_t> launch_count{0};
thread_local std::string last_failure;

}  // namespace

extern "C" {
void gtr_emu_fail_launch(int64_t nth) { launches().set(nth); }
void gtr_emu_fail_allocation(int64_t nth) { allocations().set(nth); }
int64_t gtr_emu_launches() { return launch_count; }
const char* gtr_emu_last_failure() { return last_failure.c_str(); }
}

namespace gtr::cuda::emu {

bool launch_must_fail() {
  ++launch_count;
  return launches().is_due();
}

void report_failure(const std::string& what) {
  last_failure = what;
  std::fprintf(stderr, "cuda-emu: %s\n", what.c_str());
}

bool allocation_must_fail() { return allocations().is_due(); }

}  // namespace gtr::cuda::emu
