// Threads that can go on, and which of them does: the order in which races show.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "settings.h"

namespace gtr::cuda::emu {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 0x2545F4914F6CDD1Du) {}
  // 0 to bound - 1.
  size_t below(size_t bound) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<size_t>(state_ >> 11) % bound;
  }

 private:
  uint64_t state_;
};

class ReadySet {
 public:
  static constexpr size_t kNone = SIZE_MAX;

  void reset(size_t threads);
  // Threads first + i for every bit i of the mask; first is a multiple of 32. None of them is in the set.
  void add(size_t first, uint32_t mask);
  // Takes out the lowest, the highest or any.
  size_t take(Random& random);

 private:
  const Order order_ = settings().order;
  std::vector<uint32_t> words_;  // forward and reverse
  size_t lowest_ = 0;            // words below are empty
  size_t highest_ = 0;           // words above are empty
  std::vector<size_t> numbers_;  // shuffled
};

}  // namespace gtr::cuda::emu
