// What a CPU tier brings to `linear`: micro-kernels for a tile of rows by one or more panels of output columns.
//
// Weights lie in panels of `columns` output columns, panel after panel; in a panel one step after the other. A step is
// what 4 bytes of x as it is multiplied meet: in f32 one k (columns floats), in bf16 one pair k, k+1 (columns pairs of
// bfloat16, the even k in the low half), or half of such a pair where the tier widens bfloat16 to float.
//
// x is read where it lies, row by row, if its elements are those that the tier multiplies; otherwise it is packed
// first: rounded or widened, tile after tile, a tile in groups of 16 steps, [group][row][16], so that it is read as one
// stream.
//
// Every output element is one chain of additions in ascending k, from the first step to the last, whatever the tile's
// rows and panels: that is why a row's bits depend on nothing but its values, the tier and the precision.
#pragma once

#include <cstdint>

#include "gtr/gtr.h"

namespace gtr::cpu {

constexpr int64_t kLinearGroup = 16;  // steps: a cache line of a row of x

// What happens to finished sums: y = residual + gate * activation(sums + bias). Tensors are null where absent.
struct LinearEpilogue {
  gtr_activation activation;
  const float* bias;  // packed: valid and zero up to the end of the last panel
  const gtr_tensor* gate;
  const gtr_tensor* residual;
  const gtr_tensor* y;
};

// Where the sums of a multiplied tile, rows of one panel, belong in y.
struct LinearTile {
  int64_t first_row;
  int64_t rows;
  int64_t column;
  const float* sums;  // aligned to 64 bytes
};

// One call of a micro-kernel: sums[panel][row][column] = x W^T.
struct LinearBlock {
  int64_t rows;
  const void* x;         // of the tile's first row
  int64_t x_stride;      // elements of 4 bytes from a row to the next
  int64_t x_group;       // from a group to the next
  bool fetch_x;          // another core may have written it: worth fetching ahead
  const void* weights;   // of the first panel
  int64_t panel_stride;  // bytes from a panel to the next
  int64_t steps;
  float* sums;             // aligned to 64 bytes; panels follow each other
  const char* prefetch;    // memory that later calls read, of which this call fetches a part
  int64_t prefetch_lines;  // `multiply`: per group
  // What multiply_and_finish finishes on the way: a tile of a whole panel, other sums than this call's.
  const LinearEpilogue* epilogue;
  LinearTile unfinished;
};

struct LinearKernels {
  static constexpr int kMaxRows = 32;
  static constexpr int kPanelChoices = 3;
  static constexpr int64_t kMaxSums = 1024;  // floats, of a call
  static constexpr int32_t kNothing = -1;

  int64_t rows;             // most rows of a tile
  int64_t columns;          // of a panel
  int64_t inputs_per_step;  // 1, or 2 where a step is a pair
  int64_t steps_at_once;    // a panel is filled up with zeros to a multiple of so many
  int64_t step_bytes;       // of a panel's weights
  int64_t chunk_bytes;      // of x per task: they stay in the second-level cache beside a panel
  int64_t finish_groups;    // with fewer, multiply_and_finish would not come to the last row
  int32_t read_in_place;    // the gtr_dtype of an x that need not be packed, or kNothing

  // multiply[p][rows - 1] takes 1 << p panels at once (so that few rows still have enough independent sums to hide the
  // latency of an addition); null where a tile of so many rows does not.
  void (*multiply[kPanelChoices][kMaxRows])(const LinearBlock& block);

  // The same for one panel, and finishes another tile between its steps, from the fifth group on: the
  // epilogue's instructions go where the products leave room. Null where the registers do not suffice for both.
  void (*multiply_and_finish[kMaxRows])(const LinearBlock& block);

  // The same two for calls of few tiles, which multiply weights about as fast as memory gives them: they fetch a cache
  // line of `prefetch` with every step (of a pair of k where weights are widened), or their own weights ahead if it is
  // null. Null as above, or all of them where the tier gains nothing.
  void (*stream[kMaxRows])(const LinearBlock& block);
  void (*stream_and_finish[kMaxRows])(const LinearBlock& block);

  // Packs a tile of x, with zeros behind its inputs up to a whole group.
  void (*pack)(const gtr_tensor& x, int64_t first_row, int64_t rows, void* packed);

  // Finishes a tile of `columns` columns, no more than a panel's.
  void (*finish)(const LinearEpilogue& epilogue, const LinearTile& tile, int64_t columns);

  // Brings the residual that `finish` will read into the cache.
  void (*prefetch_residual)(const LinearEpilogue& epilogue, const LinearTile& tile, int64_t columns);

  // Null, or what a thread must call before it multiplies tiles of another number of rows than before, and after the
  // last one.
  void (*configure)(int64_t rows) = nullptr;
  void (*release)() = nullptr;
};

// Groups before the one in which multiply_and_finish comes to the first row: time for its residual to arrive.
constexpr int64_t kFinishLead = 4;

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
namespace amxbf16 {
extern const LinearKernels kLinearBf16;  // f32 is the one of avx512
}  // namespace amxbf16

}  // namespace gtr::cpu
