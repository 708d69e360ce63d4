#include "head_completeness.h"

#include <cstring>

namespace gtr {
namespace {

int64_t rows_of(const gtr_head_shape& shape, int64_t number) noexcept {
  int64_t rows = 0;
  int64_t columns = 0;
  head_tensor_size(shape, head_tensor_at(number), &rows, &columns);
  return rows;
}

}  // namespace

HeadCompleteness HeadCompleteness::place(HeadScratch& layout, const gtr_head_shape& shape) noexcept {
  const int64_t tensors = head_tensor_count(shape);
  int64_t rows = 0;
  for (int64_t number = 0; number < tensors; ++number) rows += rows_of(shape, number);
  HeadCompleteness completeness;
  completeness.words_ = (rows + 63) / 64;
  completeness.tensors_ = layout.take<State>(tensors);
  completeness.rows_set_ = layout.take<uint64_t>(completeness.words_);
  return completeness;
}

void HeadCompleteness::begin(const gtr_head_shape& shape) noexcept {
  std::memset(rows_set_, 0, static_cast<size_t>(words_) * sizeof(uint64_t));
  missing_ = 0;
  for (int64_t number = 0; number < head_tensor_count(shape); ++number) {
    State& state = tensors_[number];
    head_tensor_name(head_tensor_at(number), state.name);
    state.first_bit = missing_;
    state.missing = rows_of(shape, number);
    missing_ += state.missing;
  }
}

void HeadCompleteness::mark(const HeadTensor& tensor, int64_t first_row, int64_t rows) noexcept {
  State& state = tensors_[head_tensor_number(tensor)];
  for (int64_t bit = state.first_bit + first_row; bit < state.first_bit + first_row + rows; ++bit) {
    const uint64_t mask = uint64_t{1} << (bit % 64);
    if ((rows_set_[bit / 64] & mask) != 0) continue;
    rows_set_[bit / 64] |= mask;
    --state.missing;
    --missing_;
  }
}

const char* HeadCompleteness::missing() const noexcept {
  if (missing_ == 0) return nullptr;
  const State* state = tensors_;
  while (state->missing == 0) ++state;
  return state->name;
}

}  // namespace gtr
