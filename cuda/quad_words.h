// Four neighbouring values, f32 or bf16, as they lie in memory: what is read early and looked at late. A branch that
// only loads does not wait for what it loads; one that converts does.
#pragma once

#include <cstdint>
#include <cstring>

#include "device.h"

namespace gtr::cuda {

// Four f32, or in x and y four bf16.
struct QuadWords {
  uint4 words;
};

// Elements at .. at + 3, aligned to their size together.
__device__ __forceinline__ QuadWords load_quad_words(const void* data, bool bf16, int64_t at) {
  if (!bf16) return {load_16(static_cast<const float*>(data) + at)};
  const uint2 pairs = *reinterpret_cast<const uint2*>(static_cast<const Bf16*>(data) + at);
  return {make_uint4(pairs.x, pairs.y, 0, 0)};
}

__device__ __forceinline__ float4 values_of(QuadWords quad, bool bf16) {
  if (!bf16) {
    float4 values;
    memcpy(&values, &quad.words, sizeof values);
    return values;
  }
  const float2 low = unpack_bf16(quad.words.x);
  const float2 high = unpack_bf16(quad.words.y);
  return make_float4(low.x, low.y, high.x, high.y);
}

}  // namespace gtr::cuda
