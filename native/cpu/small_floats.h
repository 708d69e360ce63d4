// Half and bfloat16 in portable code, for weights that are read once. Not for files of a tier: an inline function that
// is compiled with a tier's flags may be the copy that the linker keeps for every tier.
#pragma once

#include <cstdint>
#include <cstring>

namespace gtr::cpu {

inline float float_from_bits(uint32_t bits) noexcept {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline float bf16_to_float(uint16_t value) noexcept { return float_from_bits(static_cast<uint32_t>(value) << 16); }

// Nearest even; a NaN stays a NaN.
inline uint16_t float_to_bf16(float value) noexcept {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffffu) > 0x7f800000u) {
    return static_cast<uint16_t>((bits >> 16) | 0x40u);
  }
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

inline float half_to_float(uint16_t value) noexcept {
  const uint32_t sign = static_cast<uint32_t>(value & 0x8000u) << 16;
  const uint32_t exponent = (value >> 10) & 0x1fu;
  const uint32_t mantissa = value & 0x3ffu;
  if (exponent == 0) {  // zero or subnormal: mantissa 2^-24, exact in float
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  const uint32_t float_exponent = exponent == 0x1f ? 0xffu : exponent + (127 - 15);
  return float_from_bits(sign | (float_exponent << 23) | (mantissa << 13));
}

}  // namespace gtr::cpu
