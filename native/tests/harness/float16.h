// IEEE binary16, which weights may be given in.
#pragma once

#include <cmath>
#include <cstdint>

namespace gtr::test {

inline double from_float16(uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const int fraction = half & 1023;
  double magnitude;
  if (exponent == 31) {
    magnitude = fraction ? std::nan("") : HUGE_VAL;
  } else {
    magnitude = exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24);
  }
  return half & 0x8000 ? -magnitude : magnitude;
}

// Nearest even. For |value| below 65520.
inline uint16_t to_float16(double value) {
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::fabs(value);
  int exponent;
  std::frexp(magnitude, &exponent);
  if (magnitude < std::ldexp(1.0, -14)) return static_cast<uint16_t>(sign | std::lrint(std::ldexp(magnitude, 24)));
  // A fraction that rounds up to 2048 carries into the exponent, as it should.
  const long scaled = std::lrint(std::ldexp(magnitude, 11 - exponent));
  return static_cast<uint16_t>(sign | (((exponent + 13) << 10) + scaled));
}

}  // namespace gtr::test
