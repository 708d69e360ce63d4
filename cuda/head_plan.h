// A chain's launches: laid out in scratch, and enqueued on a stream or into a graph.
#pragma once

#include <cstdint>

#include "head_network.h"
#include "head_rows.h"
#include "head_turn.h"

namespace gtr::cuda {

// What is enqueued depends on the head, on the chain's groups and modulation_bytes and on where scratch lies, and on
// nothing else that the caller gives: the rest is read from the parameter block. Null scratch: only the size is known.
class ChainPlan {
 public:
  ChainPlan(const Head& head, const gtr_chain& chain, void* scratch) noexcept;

  int64_t scratch_size() const noexcept { return scratch_.size(); }

  // Writes the parameter block, on the context's queue.
  void set_parameters(Context& context, const gtr_chain& chain, const gtr_tensor& x) const noexcept;

  // Table indices first down to last, from x. from_noise: every row starts with its first noise instead.
  void enqueue(Context& context, int32_t first, int32_t last, bool from_noise) noexcept;

  // About how many launches a whole chain is.
  int64_t launches() const noexcept;

 private:
  Batch batch_at(int32_t index) const noexcept;
  int32_t chunk_end(int32_t high, int32_t last, int64_t* rows) const noexcept;
  int64_t upload(Context& context, int32_t first, int32_t last) const noexcept;
  void enqueue_rows(Context& context) const noexcept;

  const Head& head_;
  const gtr_chain_group* groups_;
  int64_t group_count_;
  int64_t modulation_rows_most_;  // that modulation_bytes allow; a batch is never divided
  HeadScratch scratch_;

  ChainRows rows_ = {};
  int32_t* times_in_use_;  // base steps, each once
  HeadTimes times_;
  float* z_;           // [R + H, D], the halves after the rows
  float* conditions_;  // [R + H, w], likewise
  HeadModulations modulations_;
  int32_t* time_row_;       // [modulations' capacity]
  int32_t* condition_row_;  // likewise
  HeadPass pass_;
  float* streams_[2];   // [R + H, w], of even and of odd table indices
  float* normed_;       // of HeadTurn
  float* predictions_;  // likewise
  void* linear_scratch_;
};

}  // namespace gtr::cuda
