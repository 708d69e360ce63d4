// Standard normal numbers from a counter, for the noise kernel and for the head's update: Philox4x32-10 (Salmon et al.,
// "Parallel random numbers: as easy as 1, 2, 3", SC 2011) and Box-Muller on its four words. native/src/philox.cpp is
// the same function on the host.
#pragma once

#include <cstdint>

#include "device.h"

namespace gtr::cuda {

constexpr int kNoiseChannels = 4;  // of a block

__device__ __forceinline__ uint32_t high_half(uint64_t product) { return static_cast<uint32_t>(product >> 32); }

// The words of one block; key = (seed low, seed high).
__device__ __forceinline__ uint4 philox4x32_10(uint64_t seed, uint4 counter) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53u;
  constexpr uint64_t kMultiplier1 = 0xCD9E8D57u;
  constexpr uint32_t kWeyl0 = 0x9E3779B9u;  // the golden ratio
  constexpr uint32_t kWeyl1 = 0xBB67AE85u;  // sqrt(3) - 1
  constexpr int kRounds = 10;
  uint32_t key0 = static_cast<uint32_t>(seed);
  uint32_t key1 = high_half(seed);
#pragma unroll
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t product0 = kMultiplier0 * counter.x;
    const uint64_t product1 = kMultiplier1 * counter.z;
    counter = make_uint4(high_half(product1) ^ counter.y ^ key0, static_cast<uint32_t>(product1),
                         high_half(product0) ^ counter.w ^ key1, static_cast<uint32_t>(product0));
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return counter;
}

// In 0..1, neither end reached, so that the logarithm is finite.
__device__ __forceinline__ double uniform(uint32_t word) { return (word + 0.5) * 0x1p-32; }

// In double and rounded once, as the numerics have it. sincospi needs no 2 pi, and none of the reductions of large
// angles that sin and cos carry along.
__device__ __forceinline__ float2 box_muller(uint32_t radius_word, uint32_t angle_word) {
  const double radius = sqrt(-2.0 * log(uniform(radius_word)));
  double sine;
  double cosine;
  sincospi(2.0 * uniform(angle_word), &sine, &cosine);
  return make_float2(static_cast<float>(radius * cosine), static_cast<float>(radius * sine));
}

// The numbers of channels 4 group .. 4 group + 3 of one draw of one cell of one image.
__device__ __forceinline__ void noise_block(uint64_t seed, uint32_t image, uint32_t cell, uint32_t draw, uint32_t group,
                                            float (&normal)[kNoiseChannels]) {
  const uint4 words = philox4x32_10(seed, make_uint4(group, draw, cell, image));
  const float2 low = box_muller(words.x, words.y);
  const float2 high = box_muller(words.z, words.w);
  normal[0] = low.x;
  normal[1] = low.y;
  normal[2] = high.x;
  normal[3] = high.y;
}

}  // namespace gtr::cuda
