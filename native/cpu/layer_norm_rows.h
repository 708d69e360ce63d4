// What a CPU tier brings to layer norm.
#pragma once

#include <cstdint>

#include "gtr/gtr.h"

namespace gtr::cpu {

// The arguments of gtr_layer_norm.
struct LayerNorm {
  const gtr_tensor* x;
  const gtr_tensor* weight;  // null if absent, likewise the next three
  const gtr_tensor* bias;
  const gtr_tensor* scale;
  const gtr_tensor* shift;
  double epsilon;
  const gtr_tensor* y;
};

// Normalises rows first_row .. first_row + rows - 1.
namespace scalar {
void layer_norm_rows(const LayerNorm& arguments, int64_t first_row, int64_t rows);
}
namespace avx2 {
void layer_norm_rows(const LayerNorm& arguments, int64_t first_row, int64_t rows);
}
namespace avx512 {
void layer_norm_rows(const LayerNorm& arguments, int64_t first_row, int64_t rows);
}

}  // namespace gtr::cpu
