// What a chain does between the blocks of one reverse step and those of the next: the final layer, guidance, posterior
// and noise, which give the next x, and its input projection. All of this is one row's own business, in both halves,
// so one kernel does it, a block for a row or a few.
#pragma once

#include "head.h"
#include "head_rows.h"

namespace gtr::cuda {

// The weights of a float `linear`, see linear_weights.h.
struct TurnWeights {
  const float4* packed;
  const float* bias;
  int32_t steps;
  int32_t tiles;
};

// R, B: rows and batch rows; C channels, w the head's width.
struct HeadTurn {
  int32_t index;             // the table index of `now`
  Batch now;                 // the step that ends here; empty before the first one
  Batch next;                // that of index - 1, which begins here; empty after the last one
  const float* modulations;  // [B of now, 2w] shift, scale of the final layer
  const float* now_stream;   // [B of now, w] the blocks' result
  float* next_stream;        // [B of next, w]; other memory, since batches differ in where their rows lie
  float* normed;             // [B of now, turn_normed_width], for rows that find no room in shared memory
  float* predictions;        // [B of now, turn_predictions_width], likewise
};

int64_t turn_normed_width(const Head& head) noexcept;       // w, rounded up
int64_t turn_predictions_width(const Head& head) noexcept;  // 2C, rounded up

void turn(Context& context, const Head& head, const ChainRows& chain, const HeadTurn& turn) noexcept;

}  // namespace gtr::cuda
