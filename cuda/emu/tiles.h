// What the tensor-core instructions compute, as scalars: the layouts of PTX ISA, "Matrix fragments for mma.m16n8k16
// with floating point type" and "ldmatrix".
#pragma once

#include "device.h"

namespace gtr::cuda::emu {

// D += A B of all lanes. Products of bfloat16 are exact in float; they are added to D one after the other, k = 0..15.
void multiply_tiles(MultiplyOperand* const (&lanes)[kWarp]);

// Rows have been checked: lane l's is row l % 8 of tile l / 8.
void load_tiles(LoadMatrixOperand* const (&lanes)[kWarp]);

}  // namespace gtr::cuda::emu
