// The diffusion head's weights: MAR's SimpleMLPAdaLN.
#pragma once

#include <cstdint>

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

// Which rows of a tensor have been set.
struct HeadTensorState {
  char name[kHeadTensorNameSize];
  int64_t first_bit;  // its rows' bits in Head::rows_set
  int64_t missing;    // rows not set
};

// One allocation: this struct, then the arrays that it points to. The linears are allocations of their own.
struct Head {
  DeviceMemory* memory;
  int64_t allocated;  // bytes
  gtr_head_shape shape;
  gtr_precision precision;
  Linear* outer[kHeadOuterLayers];  // by HeadLayer
  HeadBlock* blocks;
  HeadTensorState* tensors;  // by number, see head_tensors.h
  uint64_t* rows_set;
  int64_t missing;  // rows not set, of all tensors

  const Linear& layer(HeadLayer which) const noexcept { return *outer[static_cast<int32_t>(which)]; }
};

}  // namespace gtr::cpu
