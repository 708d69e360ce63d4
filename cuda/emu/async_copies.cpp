#include "async_copies.h"

#include <cstring>

namespace gtr::cuda::emu {
namespace {

constexpr int kUnderWay = 0xFF;

}  // namespace

void AsyncCopies::issue(void* target, const void* source, bool valid) {
  Copy copy{static_cast<unsigned char*>(target), source, open_group_, valid, {}};
  if (valid) std::memcpy(copy.data, source, kBytes);
  std::memset(target, kUnderWay, kBytes);
  copies_.push_back(copy);
}

const char* AsyncCopies::wait(unsigned younger) {
  for (; first_ < copies_.size(); ++first_) {
    const Copy& copy = copies_[first_];
    if (copy.group + younger >= open_group_) break;
    for (size_t i = 0; i < kBytes; ++i) {
      if (copy.target[i] != kUnderWay) return "the target of an asynchronous copy was written while it was under way";
    }
    if (copy.valid && std::memcmp(copy.data, copy.source, kBytes) != 0) {
      return "the source of an asynchronous copy was written while it was under way";
    }
    std::memcpy(copy.target, copy.data, kBytes);
  }
  if (first_ == copies_.size()) {
    copies_.clear();
    first_ = 0;
  }
  return nullptr;
}

void AsyncCopies::forget() {
  copies_.clear();
  first_ = 0;
  open_group_ = 0;
}

}  // namespace gtr::cuda::emu
