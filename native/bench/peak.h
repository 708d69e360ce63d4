// What a tier's or a card's instructions can do at most on this machine, as measured and not as computed from a data
// sheet: frequency and pipes are what they are under load.
#pragma once

#include <cstdint>

#include "gtr/gtr.h"

namespace gtr::bench {

// bfloat16 of either sign between 1/2 and 2, never the same for two seeds. Zeros and other constants would be
// multiplied faster: they take less power, and the processor's frequency follows.
void fill_bf16(uint32_t seed, uint16_t* values, int64_t count);

// A loop over `bytes` of bfloat16, aligned to a page.
struct CachedLoop {
  float (*run)(const void* operands, int64_t rounds);
  int64_t bytes;
  int64_t flops_per_round;
};

// Loops of a tier. Each returns a value that depends on all it did, so that nothing can be left out.
struct PeakLoops {
  // `rounds` rounds of independent multiply-adds on registers, flops_per_round floating-point operations each.
  float (*f32)(int64_t rounds);
  int64_t f32_flops_per_round;
  float (*bf16)(int64_t rounds);  // the same as f32 where a tier multiplies bfloat16 as floats
  int64_t bf16_flops_per_round;
  // Reads `floats` floats, a multiple of 256, from memory aligned to 64 bytes.
  float (*read)(const float* data, int64_t floats);
  // The following are empty where they change nothing. bf16 with operands that are loaded from the second-level cache.
  CachedLoop cached_bf16{};
  // Attention with heads of 64 and of 80 elements: products of keys and values from the second-level cache beside the
  // softmax of scores in the first-level cache. FLOPs are those of the elements, not of what an instruction fills them
  // up to.
  CachedLoop attention_64{};
  CachedLoop attention_80{};
};

namespace scalar {
extern const PeakLoops kPeakLoops;
}
namespace avx2 {
extern const PeakLoops kPeakLoops;
}
namespace avx512 {
extern const PeakLoops kPeakLoops;
}
namespace avx512bf16 {
extern const PeakLoops kPeakLoops;
}
namespace amxbf16 {
extern const PeakLoops kPeakLoops;
}

// What `threads` threads, or a card, reach together, per second.
struct Peak {
  double f32_flops;
  double bf16_flops;
  double read_bytes;              // from memory
  double copy_bytes;              // read and written together, within a card's memory; 0 of the CPU
  double cached_bf16_flops = 0;   // with operands from the second-level cache; 0 of a card, as what follows
  double matrix_bytes = 0;        // read of kMatrixBytes, of which each thread has a part
  double head_bytes = 0;          // the same of kHeadBytes
  double attention_64_flops = 0;  // of bfloat16 beside the softmax of heads of 64 elements, keys and values cached
  double attention_80_flops = 0;  // of 80
};

// Weights in bfloat16 that are read again and again, from whatever cache holds them: qkv of a block of MAR-B, and the
// square matrices of its diffusion head.
constexpr int64_t kMatrixBytes = int64_t{3} * 768 * 768 * 2;
constexpr int64_t kHeadBytes = int64_t{2} * 6 * 1024 * 1024 * 2;

// tier: a gtr_cpu_tier that this machine has.
Peak measure_peak(int32_t tier, int32_t threads);

}  // namespace gtr::bench
