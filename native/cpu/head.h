// The diffusion head's weights: MAR's SimpleMLPAdaLN.
#pragma once

#include <cstdint>

#include "head_completeness.h"
#include "head_tensors.h"
#include "operations.h"

namespace gtr::cpu {

struct HeadBlock {
  float* norm_weight;
  float* norm_bias;
  Linear* mlp0;
  Linear* mlp2;
  Linear* modulation;  // shift, scale, gate
};

// One allocation: this struct, then the arrays that it points to. The linears are allocations of their own.
struct Head {
  DeviceMemory* memory;
  int64_t allocated;  // bytes
  gtr_head_shape shape;
  gtr_precision precision;
  Linear* outer[kHeadOuterLayers];  // by HeadLayer
  HeadBlock* blocks;
  HeadCompleteness completeness;

  const Linear& layer(HeadLayer which) const noexcept { return *outer[static_cast<int32_t>(which)]; }
};

}  // namespace gtr::cpu
