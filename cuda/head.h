// The diffusion head's weights on the device: MAR's SimpleMLPAdaLN.
#pragma once

#include <cstdint>

#include "head_completeness.h"
#include "head_tensors.h"
#include "operations.h"

namespace gtr::cuda {

struct HeadBlock {
  float* norm_weight;  // [w], on the device
  float* norm_bias;    // [w], on the device
  Linear* mlp0;
  Linear* mlp2;
  Linear* modulation;  // shift, scale, gate
};

// One allocation on the host: this struct, then the arrays that it points to. The linears are allocations of their own.
struct Head {
  Device* device;
  int64_t allocated;  // bytes
  uint64_t id;        // no other head of the process has or will have it: what was built for a head is kept by its id
  gtr_head_shape shape;
  gtr_precision precision;
  Linear* outer[kHeadOuterLayers];  // by HeadLayer
  HeadBlock* blocks;
  float* norms;  // all blocks' weights and biases, on the device
  HeadCompleteness completeness;

  const Linear& layer(HeadLayer which) const noexcept { return *outer[static_cast<int32_t>(which)]; }
};

}  // namespace gtr::cuda
