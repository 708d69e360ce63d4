// Four channels of noise at a time, as gtr_noise defines it.
#pragma once

#include <cstdint>

#include "device.h"

namespace gtr::cuda {

constexpr int kNoiseChannels = 4;

// Philox4x32-10 with the constants of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), table 2.
__device__ __forceinline__ void philox4x32_10(uint64_t seed, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3,
                                              uint32_t (&words)[4]) {
  uint32_t key0 = static_cast<uint32_t>(seed);
  uint32_t key1 = static_cast<uint32_t>(seed >> 32);
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53u} * c0;
    const uint64_t product1 = uint64_t{0xCD9E8D57u} * c2;
    c0 = static_cast<uint32_t>(product1 >> 32) ^ c1 ^ key0;
    c1 = static_cast<uint32_t>(product1);
    c2 = static_cast<uint32_t>(product0 >> 32) ^ c3 ^ key1;
    c3 = static_cast<uint32_t>(product0);
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

// Channels 4 block .. 4 block + 3 of a draw. In double, rounded once; 2 pi u is never formed, so that its rounding
// costs nothing.
__device__ __forceinline__ void noise_block(uint64_t seed, uint32_t image, uint32_t cell, uint32_t draw, uint32_t block,
                                            float (&normal)[kNoiseChannels]) {
  uint32_t words[4];
  philox4x32_10(seed, block, draw, cell, image, words);
#pragma unroll
  for (int pair = 0; pair < kNoiseChannels; pair += 2) {
    const double radius = sqrt(-2.0 * log((words[pair] + 0.5) * 0x1p-32));
    double sine, cosine;
    sincospi((words[pair + 1] + 0.5) * 0x1p-31, &sine, &cosine);
    normal[pair] = static_cast<float>(radius * cosine);
    normal[pair + 1] = static_cast<float>(radius * sine);
  }
}

}  // namespace gtr::cuda
