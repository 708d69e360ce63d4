#include "ready_set.h"

#include <algorithm>

namespace gtr::cuda::emu {

void ReadySet::reset(size_t threads) {
  words_.assign((threads + 31) / 32, 0);
  lowest_ = words_.size();
  highest_ = 0;
  numbers_.clear();
}

void ReadySet::add(size_t first, uint32_t mask) {
  if (order_ == Order::kShuffled) {
    for (size_t i = 0; i < 32; ++i) {
      if (mask >> i & 1u) numbers_.push_back(first + i);
    }
    return;
  }
  if (mask == 0) return;
  words_[first / 32] |= mask;
  lowest_ = std::min(lowest_, first / 32);
  highest_ = std::max(highest_, first / 32);
}

size_t ReadySet::take(Random& random) {
  if (order_ == Order::kShuffled) {
    if (numbers_.empty()) return kNone;
    std::swap(numbers_[random.below(numbers_.size())], numbers_.back());
    const size_t number = numbers_.back();
    numbers_.pop_back();
    return number;
  }
  if (order_ == Order::kForward) {
    for (; lowest_ < words_.size(); ++lowest_) {
      uint32_t& word = words_[lowest_];
      if (word == 0) continue;
      const auto bit = static_cast<unsigned>(__builtin_ctz(word));
      word &= word - 1;
      return lowest_ * 32 + bit;
    }
    return kNone;
  }
  while (true) {
    uint32_t& word = words_[highest_];
    if (word != 0) {
      const auto bit = 31u - static_cast<unsigned>(__builtin_clz(word));
      word &= ~(1u << bit);
      return highest_ * 32 + bit;
    }
    if (highest_ == 0) return kNone;
    --highest_;
  }
}

}  // namespace gtr::cuda::emu
