// bfloat16 as the numerics define it: the upper half of a float, rounded to nearest even.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace gtr::test {

inline uint16_t to_bfloat16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if (std::isnan(value)) return static_cast<uint16_t>((bits >> 16) | 0x0040);  // quiet, and never rounded to infinity
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

inline float from_bfloat16(uint16_t half) {
  const uint32_t bits = static_cast<uint32_t>(half) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline double round_to_bfloat16(double value) {
  return static_cast<double>(from_bfloat16(to_bfloat16(static_cast<float>(value))));
}

}  // namespace gtr::test
