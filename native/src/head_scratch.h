// Carves a call's scratch into arrays. Without memory it only adds up their sizes, so that one function lays out a call
// and tells how much the layout needs.
#pragma once

#include <cstdint>

#include "gtr/gtr.h"

namespace gtr {

class HeadScratch {
 public:
  explicit HeadScratch(void* memory) noexcept : memory_(static_cast<char*>(memory)) {}

  // Null without memory.
  template <typename T>
  T* take(int64_t count) noexcept {
    return static_cast<T*>(take_bytes(count * static_cast<int64_t>(sizeof(T))));
  }

  void* take_bytes(int64_t bytes) noexcept {
    const int64_t at = size_;
    size_ += (bytes + GTR_ALIGNMENT - 1) / GTR_ALIGNMENT * GTR_ALIGNMENT;
    return memory_ == nullptr ? nullptr : memory_ + at;
  }

  int64_t size() const noexcept { return size_; }

 private:
  char* memory_;
  int64_t size_ = 0;
};

}  // namespace gtr
