// What a CPU tier brings to attention.
//
// The keys and values of one head are packed once, for all its queries. A few queries at a time, as many as the
// micro-kernel's tile has rows, walk over the keys in blocks of kAttentionKeys with an online softmax: scores, their
// maximum, weights, weights times values, and sums so far rescaled where a later block of keys has a higher maximum.
// Blocks of keys start at key 0 and every sum runs over keys in an order that their number alone determines, so a row's
// bits depend on its own query, on the keys that its batch entry attends to and on their number, and on nothing else.
#pragma once

#include <cstdint>

#include "gtr/gtr.h"

namespace gtr::cpu {

// Keys per block of the online softmax.
constexpr int64_t kAttentionKeys = 512;

// What is the same for all heads of a call.
struct AttentionCall {
  const gtr_tensor* q;
  const gtr_tensor* k;
  const gtr_tensor* v;
  const gtr_tensor* mask;  // null if absent
  const gtr_tensor* out;
  // softmax(scale q k^T) as 2^(factor (s - max s)) of s = (sign q) k^T: the sign of the scale goes into q, so that the
  // factor is positive and the highest s has the highest weight.
  float sign;  // 1 or -1, or 0 for a scale of 0
  float factor;
};

// One head of one batch entry, and how many keys its queries may attend to.
struct AttentionHead {
  int64_t batch;
  int64_t head;
  int64_t keys;
};

struct AttentionKernels {
  int64_t query_block;  // calls of attend do best with a multiple of it
  int64_t work_bytes;   // memory of one call of attend; a multiple of GTR_ALIGNMENT

  // Bytes of the packed keys and values of a head, a multiple of GTR_ALIGNMENT.
  int64_t (*packed_bytes)(int64_t keys, int64_t head_dim);

  void (*pack)(const AttentionCall& call, const AttentionHead& head, void* packed);

  // Writes out rows first_query .. first_query + queries - 1. Meanwhile brings keys and values of `next`, unless null,
  // into the cache.
  void (*attend)(const AttentionCall& call, const AttentionHead& head, int64_t first_query, int64_t queries,
                 const void* packed, void* work, const AttentionHead* next);
};

namespace scalar {
extern const AttentionKernels kAttentionF32;
extern const AttentionKernels kAttentionBf16;
}  // namespace scalar
namespace avx2 {
extern const AttentionKernels kAttentionF32;
extern const AttentionKernels kAttentionBf16;
}  // namespace avx2
namespace avx512 {
extern const AttentionKernels kAttentionF32;
extern const AttentionKernels kAttentionBf16;
}  // namespace avx512
namespace avx512bf16 {
extern const AttentionKernels kAttentionBf16;  // f32 is the one of avx512
}  // namespace avx512bf16
namespace amxbf16 {
extern const AttentionKernels kAttentionBf16;  // f32 is the one of avx512
}  // namespace amxbf16

}  // namespace gtr::cpu
