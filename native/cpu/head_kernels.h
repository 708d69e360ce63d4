// What a CPU tier brings to the diffusion head beyond linear and layer norm.
#pragma once

#include <cstdint>

#include "bfloat16.h"

namespace gtr::cpu {

struct HeadKernels {
  // y[i] = SiLU(a[i] + b[i]), i < n.
  void (*silu_of_sum)(const float* a, const float* b, int64_t n, float* y);
  void (*silu_of_sum_bf16)(const float* a, const float* b, int64_t n, Bfloat16* y);
};

namespace scalar {
extern const HeadKernels kHead;
}
namespace avx2 {
extern const HeadKernels kHead;
}
namespace avx512 {
extern const HeadKernels kHead;  // also of the BF16 tier: its instructions have no use here
}

}  // namespace gtr::cpu
