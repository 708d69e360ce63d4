// Deterministic numbers for tests: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), seeded by the name of the case, so
// that a failure is the same on every machine and in whatever order cases run.
#pragma once

#include <cstdint>
#include <string>

namespace gtr::test {

class Random {
 public:
  explicit Random(const std::string& name) {
    for (const char c : name) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  }

  uint64_t next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  double uniform(double low, double high) { return low + (high - low) * (static_cast<double>(next() >> 11) * 0x1p-53); }

  // low..high, both included.
  int64_t integer(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(next() % static_cast<uint64_t>(high - low + 1));
  }

 private:
  uint64_t state_ = 0xCBF29CE484222325u;
};

}  // namespace gtr::test
