#include "call_log.h"

#include <cstdio>
#include <cstring>

namespace gtr::cuda {

void CallLog::add(const char* operation) noexcept {
  if (size_ > 0 && run(0).operation == operation) {
    ++runs_[(next_ - 1) & (kRuns - 1)].calls;
    return;
  }
  Run& slot = runs_[next_ & (kRuns - 1)];
  if (size_ == kRuns) {
    earlier_ += slot.calls;
  } else {
    ++size_;
  }
  slot = {operation, 1};
  ++next_;
}

bool CallLog::has(const char* operation) const noexcept {
  for (int64_t age = 0; age < size_; ++age) {
    if (std::strcmp(run(age).operation, operation) == 0) return true;
  }
  return false;
}

void CallLog::describe(char* text, size_t size) const noexcept {
  size_t length = 0;
  const auto append = [&](const char* format, auto... values) {
    if (length < size) length += static_cast<size_t>(std::snprintf(text + length, size - length, format, values...));
  };
  append("%s", size_ == 0 ? "none" : "");
  if (earlier_ > 0) append("%lld earlier ones, ", static_cast<long long>(earlier_));
  for (int64_t age = size_ - 1; age >= 0; --age) {
    append("%s", run(age).operation);
    if (run(age).calls > 1) append(" x%lld", static_cast<long long>(run(age).calls));
    if (age > 0) append(", ");
  }
}

}  // namespace gtr::cuda
