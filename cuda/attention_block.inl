// What a block of attention works on: its batch entry, its head, its rows.
#include "attention_parameters.h"

namespace gtr::cuda {

struct AttentionBlock {
  int32_t batch;
  int32_t head;
  int32_t first_row;
  int32_t rows;  // of q that the block has, up to the kernel's number; 0: leave
  int32_t keys;  // that its queries may attend to
};

__device__ __forceinline__ bool attention_length(const AttentionParameters& p, Checked array, const int32_t* lengths,
                                                 int64_t stride, int32_t batch, bool speaks, int32_t most,
                                                 int32_t* length) {
  *length = most;
  if (lengths == nullptr) return true;
  const int32_t value = lengths[batch * stride];
  *length = value;
  if (0 <= value && value <= most) return true;
  if (speaks) report(p.errors, array, stride == 0 ? 0 : batch, value, 0, most);
  return false;
}

// The block that has `kRows` rows from blockIdx.x * kRows on. A batch entry with a length out of range has none.
template <int kRows>
__device__ __forceinline__ AttentionBlock attention_block(const AttentionParameters& p) {
  AttentionBlock block;
  block.batch = p.first_batch + static_cast<int32_t>(blockIdx.z);
  block.head = p.first_head + static_cast<int32_t>(blockIdx.y);
  block.first_row = static_cast<int32_t>(blockIdx.x) * kRows;
  // One thread for the batch entry.
  const bool speaks = block.head == 0 && blockIdx.x == 0 && threadIdx.x == 0;
  int32_t queries;
  const bool valid = attention_length(p, Checked::kQueryLengths, p.query_lengths, p.query_lengths_stride, block.batch,
                                      speaks, p.query_length, &queries) &
                     attention_length(p, Checked::kKeyLengths, p.key_lengths, p.key_lengths_stride, block.batch, speaks,
                                      p.key_length, &block.keys);
  block.rows = valid && block.first_row < queries ? queries - block.first_row : 0;
  if (block.rows > kRows) block.rows = kRows;
  return block;
}

// Address of the first element of row `row` of the block's head.
__device__ __forceinline__ char* attention_row(const AttentionView& view, const AttentionBlock& block, int64_t row) {
  const int64_t element = block.batch * view.batch_stride + row * view.row_stride + block.head * view.head_stride;
  return static_cast<char*>(view.data) + element * (view.is_bf16 ? 2 : 4);
}

__device__ __forceinline__ const uint8_t* attention_mask_row(const AttentionParameters& p, const AttentionBlock& block,
                                                             int64_t row) {
  return p.mask + block.batch * p.mask_batch_stride + block.head * p.mask_head_stride + row * p.mask_row_stride;
}

}  // namespace gtr::cuda
