// What a CPU tier brings to `linear`: micro-kernels for a tile of rows by one or more panels of output columns.
//
// Weights lie in panels of `columns` output columns, panel after panel; in a panel one step after the other. A step is
// what one element of packed x meets: in f32 one k (columns floats), in bf16 one pair k, k+1 (columns pairs of
// bfloat16, the even k in the low half), or half of such a pair where the tier widens bfloat16 to float.
//
// Packed x lies in groups of 16 steps: [group][row][16], so that a tile is read as one stream and packed by plain
// copies.
//
// Every output element is one chain of additions in ascending k, from the first step to the last, whatever the tile's
// rows and panels: that is why a row's bits depend on nothing but its values, the tier and the precision.
#pragma once

#include <cstdint>

#include "gtr/gtr.h"

namespace gtr::cpu {

constexpr int64_t kLinearGroup = 16;  // steps per group of packed x

// One call of a micro-kernel: sums[panel][row][column] += x W^T over `steps` steps.
struct LinearBlock {
  const void* x;         // packed, starts with a group
  const void* weights;   // of the first panel
  int64_t panel_stride;  // bytes from a panel to the next
  int64_t steps;
  float* sums;           // aligned to 64 bytes
  int64_t sums_stride;   // floats from a panel's sums to the next panel's
  bool first;            // the sums start at zero instead of what is there
  const char* prefetch;  // memory that later calls read: this call fetches `prefetch_lines` cache lines per group
  int64_t prefetch_lines;
};

// What happens to finished sums: y = residual + gate * activation(sums + bias). Tensors are null where absent.
struct LinearEpilogue {
  gtr_activation activation;
  const float* bias;  // packed: valid and zero up to the end of the last panel
  const gtr_tensor* gate;
  const gtr_tensor* residual;
  const gtr_tensor* y;
};

struct LinearKernels {
  static constexpr int kMaxRows = 12;
  static constexpr int kPanelChoices = 3;

  int64_t rows;             // most rows of a tile
  int64_t columns;          // of a panel
  int64_t inputs_per_step;  // 1, or 2 where a step is a pair
  int64_t step_bytes;       // of a panel's weights
  int64_t block_steps;  // most steps per call: what a tile reads of a panel and of x stays in the second-level cache
  int64_t chunk_rows;   // rows per task: their x fits the second-level cache

  // multiply[p][rows - 1] takes 1 << p panels at once (so that few rows still have enough independent sums to hide the
  // latency of an addition); null where a tile of so many rows does not.
  void (*multiply[kPanelChoices][kMaxRows])(const LinearBlock& block);

  // Packs steps first_step .. first_step + steps - 1 (first_step a multiple of 16) of rows first_row .. +rows - 1.
  void (*pack)(const gtr_tensor& x, int64_t first_row, int64_t rows, int64_t first_step, int64_t steps, void* packed);

  // Finishes rows first_row .. +rows - 1 by columns first_column .. +columns - 1 of y, columns <= a panel's.
  void (*finish)(const LinearEpilogue& epilogue, int64_t first_row, int64_t rows, int64_t first_column, int64_t columns,
                 const float* sums);

  // Brings the residual that `finish` will read into the cache.
  void (*prefetch_residual)(const LinearEpilogue& epilogue, int64_t first_row, int64_t rows, int64_t first_column,
                            int64_t columns);
};

namespace scalar {
extern const LinearKernels kLinearF32;
extern const LinearKernels kLinearBf16;
}  // namespace scalar
namespace avx2 {
extern const LinearKernels kLinearF32;
extern const LinearKernels kLinearBf16;
}  // namespace avx2
namespace avx512 {
extern const LinearKernels kLinearF32;
extern const LinearKernels kLinearBf16;
}  // namespace avx512
namespace avx512bf16 {
extern const LinearKernels kLinearBf16;  // f32 is the one of avx512
}  // namespace avx512bf16

}  // namespace gtr::cpu
