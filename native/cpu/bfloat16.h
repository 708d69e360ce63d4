// bfloat16: the upper half of a float.
#pragma once

#include <cstdint>

namespace gtr::cpu {

struct Bfloat16 {
  uint16_t bits;
};

// Internal linkage and always inlined: files of every tier include this, and no tier may run another tier's copy.

static inline __attribute__((always_inline)) float to_float(Bfloat16 x) {
  const uint32_t bits = static_cast<uint32_t>(x.bits) << 16;
  float result;
  __builtin_memcpy(&result, &bits, sizeof result);
  return result;
}

// Rounds to nearest, ties to even; a value beyond the largest finite one becomes infinity. A NaN keeps its sign and the
// upper bits of its payload and becomes quiet.
static inline __attribute__((always_inline)) Bfloat16 to_bfloat16(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return {static_cast<uint16_t>((bits >> 16) | 0x40u)};
  return {static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16)};
}

}  // namespace gtr::cpu
