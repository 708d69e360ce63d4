// IEEE half precision in portable code, for weights that are read once. Not for files of a tier: an inline function
// that is compiled with a tier's flags may be the copy that the linker keeps for every tier.
#pragma once

#include <cstdint>
#include <cstring>

namespace gtr {

// Exact; a NaN keeps its payload.
inline float half_to_float(uint16_t value) noexcept {
  const uint32_t sign = static_cast<uint32_t>(value & 0x8000u) << 16;
  const uint32_t exponent = (value >> 10) & 0x1fu;
  const uint32_t mantissa = value & 0x3ffu;
  if (exponent == 0) {  // zero or subnormal: mantissa 2^-24
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  const uint32_t float_exponent = exponent == 0x1f ? 0xffu : exponent + (127 - 15);
  const uint32_t bits = sign | (float_exponent << 23) | (mantissa << 13);
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

}  // namespace gtr
