// softmax(scale q k^T) v with key lengths and masks, in double.
#pragma once

#include <cstdint>
#include <vector>

#include "gtr/gtr.h"

namespace gtr::test::reference {

using Values = std::vector<double>;

struct AttentionShape {
  int64_t batch;
  int64_t query_length;
  int64_t key_length;
  int64_t heads;
  int64_t head_dim;
};

// q [B, Lq, H, D], k and v [B, Lk, H, D]; key_lengths [B] or empty; mask [B, H, Lq, Lk] or empty, 0 = do not attend.
// With GTR_PRECISION_BF16 q, k and v are rounded to bfloat16; the weights of the values are not, since which multiple
// of them is rounded is the implementation's choice: callers allow for it. Keys that may not be attended to are not
// read.
Values attention(const AttentionShape& shape, double scale, const Values& q, const Values& k, const Values& v,
                 gtr_precision precision = GTR_PRECISION_F32, const std::vector<int64_t>& key_lengths = {},
                 const Values& mask = {});

}  // namespace gtr::test::reference
