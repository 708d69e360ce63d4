// The calls that a stream has taken since it was last checked: an asynchronous failure is one of theirs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gtr::cuda {

class CallLog {
 public:
  // operation: static storage. The oldest calls are forgotten when there are too many.
  void add(const char* operation) noexcept;
  void clear() noexcept { size_ = earlier_ = 0; }
  // Is one of them this operation?
  bool has(const char* operation) const noexcept;
  // "gtr_linear x3, gtr_attention", oldest first; "none".
  void describe(char* text, size_t size) const noexcept;

 private:
  struct Run {
    const char* operation;
    int64_t calls;  // in succession
  };
  const Run& run(int64_t age) const noexcept { return runs_[(next_ - 1 - age) & (kRuns - 1)]; }

  static constexpr int64_t kRuns = 32;  // a power of two
  Run runs_[kRuns];
  int64_t next_ = 0;     // where the next run goes, modulo kRuns
  int64_t size_ = 0;     // runs that are known
  int64_t earlier_ = 0;  // calls that are forgotten
};

}  // namespace gtr::cuda
