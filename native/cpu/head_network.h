// The head's network in parts, so that a chain can compute ahead what does not depend on x.
//
//   y = time_embed(t) + cond_embed(z)                     HeadConditions
//   (shift, scale, gate) of every block = adaLN(SiLU(y))  HeadModulations
//   h = input_proj(x), blocks, final layer                HeadPass
#pragma once

#include <cstdint>

#include "diffusion_table.h"
#include "head.h"
#include "head_scratch.h"
#include "tensor_view.h"

namespace gtr::cpu {

// What the products of the head's precision read and write between each other.
inline gtr_dtype head_activation_type(const Head& head) noexcept {
  return head.precision == GTR_PRECISION_BF16 ? GTR_BF16 : GTR_F32;
}

// Scratch that any linear of the head needs for up to `rows` rows.
int64_t head_linear_scratch_size(const Head& head, int64_t rows) noexcept;

// Embeddings of the base steps in use. Each is computed once, however many rows are at it.
struct HeadTimes {
  int16_t* row_of_step;  // [kBaseSteps], -1 where not in use
  int32_t* steps;        // [capacity], those in use
  int64_t count;
  float* sinusoids;  // [capacity, kTimeEmbedding]
  float* hidden;     // [capacity, w]
  float* embedded;   // [capacity, w]

  static HeadTimes place(HeadScratch& scratch, const Head& head, int64_t capacity) noexcept;
  void clear() noexcept;
  void add(int32_t base_step) noexcept;  // again: no-op
  gtr_status embed(const Context& context, const Head& head, void* linear_scratch) noexcept;
};

// Modulations of up to `capacity` rows. The final layer's stay float, as it does itself.
struct HeadModulations {
  int64_t capacity;
  void* blocks;     // [blocks][capacity, 3w], head_activation_type
  float* last;      // [capacity, 2w]
  void* activated;  // [capacity, w], head_activation_type: SiLU(y)
  // Whose y a row has: rows of the embedded times and conditions.
  int32_t* time_row;
  int32_t* condition_row;

  static HeadModulations place(HeadScratch& scratch, const Head& head, int64_t capacity) noexcept;
  // Bytes per row of what is kept for the pass.
  static int64_t row_bytes(const Head& head) noexcept;
  // Computes the first `rows` rows from rows of w floats. operation: whose name a cancelled call's message bears.
  gtr_status compute(const Context& context, const Head& head, const char* operation, int64_t rows, const float* times,
                     const float* conditions, void* linear_scratch) noexcept;
};

// What the residual stream of up to `capacity` rows needs.
struct HeadPass {
  float* stream;  // [capacity, w]
  void* normed;   // [capacity, w], head_activation_type, and float for the final layer
  void* hidden;   // [capacity, w], head_activation_type

  static HeadPass place(HeadScratch& scratch, const Head& head, int64_t capacity) noexcept;
  // Takes the first `rows` rows of the stream through all blocks and the final layer into out [rows, 2C]. Row r has the
  // modulations of row first + r.
  gtr_status run(const Context& context, const Head& head, const char* operation, int64_t rows,
                 const HeadModulations& modulations, int64_t first, const gtr_tensor& out,
                 void* linear_scratch) noexcept;
};

// GTR_ERROR_CANCELLED with a message.
gtr_status head_cancelled(const char* operation) noexcept;

}  // namespace gtr::cpu
