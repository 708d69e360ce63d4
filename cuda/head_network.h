// The head's network in parts, so that a chain can compute ahead what does not depend on x.
//
//   y = time_embed(t) + cond_embed(z)
//   (shift, scale, gate) of every block = adaLN(SiLU(y))
//   h = input_proj(x), blocks, final layer
//
// Everything lies in scratch and is laid out by `place`, with or without memory; see head_scratch.h.
#pragma once

#include <cstdint>

#include "head.h"
#include "head_scratch.h"
#include "tensor_view.h"

namespace gtr::cuda {

constexpr double kHeadNormEpsilon = 1e-6;

// What the products of the head's precision read and write between each other.
inline gtr_dtype head_activation_type(const Head& head) noexcept {
  return head.precision == GTR_PRECISION_BF16 ? GTR_BF16 : GTR_F32;
}

// `rows` rows of a matrix of floats from `first` on.
gtr_tensor row_range(const gtr_tensor& matrix, int64_t first, int64_t rows) noexcept;

// Scratch that any linear of the head needs for up to `rows` rows.
int64_t head_linear_scratch_size(const Head& head, int64_t rows) noexcept;

// Embeddings of up to `capacity` base steps.
struct HeadTimes {
  float* sinusoids;  // [capacity, kTimeEmbedding]
  float* hidden;     // [capacity, w]
  float* embedded;   // [capacity, w]

  static HeadTimes place(HeadScratch& scratch, const Head& head, int64_t capacity) noexcept;
  // Embeds steps [count], which lie step_stride elements apart on the device. One outside of 0..999 is reported as
  // element first + i of t, and its embedding is NaN.
  void embed(Context& context, const Head& head, const int32_t* steps, int64_t step_stride, int64_t first,
             int64_t count, void* linear_scratch) const noexcept;
};

// Modulations of up to `capacity` rows. The final layer's stay float, as it does itself.
struct HeadModulations {
  int64_t capacity;
  void* blocks;     // [blocks][capacity, 3w], head_activation_type
  float* last;      // [capacity, 2w]
  void* activated;  // [capacity, w], head_activation_type: SiLU(y)

  static HeadModulations place(HeadScratch& scratch, const Head& head, int64_t capacity) noexcept;
  // Bytes per row of what is kept for the pass.
  static int64_t row_bytes(const Head& head) noexcept;
  // Computes the first `rows` rows. times, conditions: rows of w floats; row r has the y of their rows time_row[r] and
  // condition_row[r], arrays on the device, or null for r itself.
  void compute(Context& context, const Head& head, int64_t rows, const float* times, const int32_t* time_row,
               const float* conditions, const int32_t* condition_row, void* linear_scratch) const noexcept;
};

// What the blocks need for up to `capacity` rows.
struct HeadPass {
  void* normed;  // [capacity, w], head_activation_type
  void* hidden;  // [capacity, w], head_activation_type

  static HeadPass place(HeadScratch& scratch, const Head& head, int64_t capacity) noexcept;
  // Takes stream [rows, w] through all blocks. Row r has the modulations of row first + r.
  void run(Context& context, const Head& head, int64_t rows, float* stream, const HeadModulations& modulations,
           int64_t first, void* linear_scratch) const noexcept;
};

}  // namespace gtr::cuda
