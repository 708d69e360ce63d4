// What a tier's or a card's instructions can do at most on this machine, as measured and not as computed from a data
// sheet: frequency and pipes are what they are under load.
#pragma once

#include <cstdint>

#include "gtr/gtr.h"

namespace gtr::bench {

// Loops of a tier. Each returns a value that depends on all it did, so that nothing can be left out.
struct PeakLoops {
  // `rounds` rounds of independent multiply-adds on registers, flops_per_round floating-point operations each.
  float (*f32)(int64_t rounds);
  int64_t f32_flops_per_round;
  float (*bf16)(int64_t rounds);  // the same as f32 where a tier multiplies bfloat16 as floats
  int64_t bf16_flops_per_round;
  // Reads `floats` floats, a multiple of 256, from memory aligned to 64 bytes.
  float (*read)(const float* data, int64_t floats);
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

// What `threads` threads, or a card, reach together.
struct Peak {
  double f32_flops;   // per second
  double bf16_flops;  // per second
  double read_bytes;  // per second, from memory
  double copy_bytes;  // per second, read and written together, within a card's memory; 0 of the CPU
};

// tier: a gtr_cpu_tier that this machine has.
Peak measure_peak(int32_t tier, int32_t threads);

}  // namespace gtr::bench
