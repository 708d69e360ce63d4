// Which cards this library can use, and why it cannot use the others.
#pragma once

#include <cstddef>
#include <cstdint>

#include "operations.h"

namespace gtr::cuda {

#if defined(GTR_CUDA_EMU)
constexpr char kBackendName[] = "cuda-emu";
#else
constexpr char kBackendName[] = "cuda";
#endif

struct Cards {
  static constexpr int kMost = 64;
  int count = 0;
  int ordinals[kMost];  // of the CUDA runtime, in its order
};

// Finds the cards that can be used; sentence gets what was found or is missing: the driver, its version, a card, its
// compute capability.
Cards find_cards(char* sentence, size_t size) noexcept;

// What info and limits say of a card. Returns the first failure of the runtime.
struct CardProperties {
  char name[128];
  int64_t memory_bytes;
  DeviceLimits limits;
};
cudaError_t read_card(int ordinal, CardProperties* card) noexcept;

}  // namespace gtr::cuda
