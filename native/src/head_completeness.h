// Which rows of a head's tensors have been set: a checkpoint arrives in windows, in any order.
#pragma once

#include <cstdint>

#include "head_scratch.h"
#include "head_tensors.h"

namespace gtr {

class HeadCompleteness {
 public:
  // Carved from the head's own allocation. Without memory only the size is added up.
  static HeadCompleteness place(HeadScratch& layout, const gtr_head_shape& shape) noexcept;

  // Nothing is set.
  void begin(const gtr_head_shape& shape) noexcept;
  void mark(const HeadTensor& tensor, int64_t first_row, int64_t rows) noexcept;
  // The first tensor with rows never set, or null.
  const char* missing() const noexcept;

 private:
  struct State {
    char name[kHeadTensorNameSize];
    int64_t first_bit;  // its rows' bits in rows_set_
    int64_t missing;    // rows not set
  };
  int64_t words_ = 0;
  State* tensors_ = nullptr;  // by number, see head_tensors.h
  uint64_t* rows_set_ = nullptr;
  int64_t missing_ = 0;  // rows not set, of all tensors
};

}  // namespace gtr
