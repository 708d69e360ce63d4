// Packed weights of `linear`; the layout is the one linear_kernels.h describes.
#pragma once

#include <cstdint>

#include "linear_kernels.h"
#include "operations.h"

namespace gtr::cpu {

// One allocation: this struct, then the bias, then the panels.
struct Linear {
  DeviceMemory* memory;
  const LinearKernels* kernels;
  int64_t allocated;  // bytes
  int64_t outputs;
  int64_t inputs;
  gtr_precision precision;
  int64_t panels;
  int64_t steps;         // per panel; inputs are padded with zeros to a multiple of the kernels' steps_at_once
  int64_t panel_stride;  // bytes
  float* bias;           // padded with zeros to whole panels
  char* weights;
};

}  // namespace gtr::cpu
