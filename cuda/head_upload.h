// Values of the host, written to device memory in order with a queue's kernels. They travel as kernel arguments, so the
// host's memory is free at once, nothing is pinned, and a graph holds them.
#pragma once

#include <cstdint>
#include <cstring>

#include "queue.h"

namespace gtr::cuda {

struct UploadPayload {
  static constexpr int kWords = 960;  // of the 4 KiB that a kernel's arguments may have
  uint32_t words[kWords];
};

// target [count] = the first words of the payload.
void write_words(Queue& queue, uint32_t* target, int64_t count, const UploadPayload& payload) noexcept;

// Collects values that lie one after the other, and launches when they no longer do or fill a payload.
class Upload {
 public:
  explicit Upload(Queue& queue) noexcept : queue_(queue) {}
  ~Upload() { flush(); }
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  template <typename T>
  void put(T* target, const T& value) noexcept {
    static_assert(sizeof(T) % sizeof(uint32_t) == 0 && alignof(T) >= alignof(uint32_t), "whole words");
    constexpr int64_t kSize = sizeof(T) / sizeof(uint32_t);
    auto* to = reinterpret_cast<uint32_t*>(target);
    if (to != target_ + count_ || count_ + kSize > UploadPayload::kWords) {
      flush();
      target_ = to;
    }
    std::memcpy(payload_.words + count_, &value, sizeof(T));
    count_ += kSize;
  }

  void flush() noexcept {
    if (count_ > 0) write_words(queue_, target_, count_, payload_);
    target_ += count_;
    count_ = 0;
  }

 private:
  Queue& queue_;
  uint32_t* target_ = nullptr;
  int64_t count_ = 0;  // words collected
  UploadPayload payload_ = {};
};

}  // namespace gtr::cuda
