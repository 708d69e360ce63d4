// What every attention kernel takes, and the launches of its instantiations, one file of machine code each.
#pragma once

#include <cstdint>

#include "device_errors.h"
#include "queue.h"

namespace gtr::cuda {

// A view [B, L, H, D] with stride 1 in D; strides in elements.
struct AttentionView {
  void* data;
  int64_t batch_stride;
  int64_t row_stride;
  int64_t head_stride;
  bool is_bf16;  // else f32
};

// out = softmax(scale q k^T) v per batch entry and head, as gtr.h has it.
struct AttentionParameters {
  AttentionView q;    // [B, Lq, H, D]
  AttentionView k;    // [B, Lk, H, D]
  AttentionView v;    // [B, Lk, H, D]
  AttentionView out;  // [B, Lq, H, D]

  const uint8_t* mask;  // [B, H, Lq, Lk], stride 1 in Lk, 0 = do not attend; null if all may be attended to
  int64_t mask_batch_stride;
  int64_t mask_head_stride;
  int64_t mask_row_stride;

  const int32_t* query_lengths;  // [B], null if all of Lq
  const int32_t* key_lengths;    // [B], null if all of Lk
  int64_t query_lengths_stride;
  int64_t key_lengths_stride;

  int32_t query_length;  // Lq
  int32_t key_length;    // Lk
  int32_t head_dim;      // D

  // The launch covers batch entries first_batch + blockIdx.z and heads first_head + blockIdx.y.
  int32_t first_batch;
  int32_t first_head;

  // softmax(scale s) as base^(factor (s - max s)) of the scores s = (sign q) k^T: the sign of the scale goes into q, so
  // that the factor is positive and the highest s has the highest weight. base: 2 for bf16 products, e for f32.
  // sign q is (q & query_keep) ^ query_flip of the float's upper 16 bits; keeping none is a scale of 0.
  float factor;
  uint16_t query_keep;
  uint16_t query_flip;

  bool out_aligned;  // data and strides of out let 4 neighbours of a row be stored at once

  DeviceErrors* errors;
};

// How q, k and v come into shared memory.
enum class AttentionLoad {
  kAsync,    // cp.async: all bf16, data and strides multiples of 16 bytes
  kConvert,  // through registers: f32 or bf16 each, any strides
};

// bf16 products. `rows` queries per block: 64 or 128. One file for each number of columns, attention_bf16_*.cu.
struct AttentionVariant {
  int rows;
  AttentionLoad load;
};
void launch_attention_bf16_64(Queue& queue, AttentionVariant variant, const AttentionParameters& parameters,
                              dim3 grid) noexcept;
void launch_attention_bf16_80(Queue& queue, AttentionVariant variant, const AttentionParameters& parameters,
                              dim3 grid) noexcept;
void launch_attention_bf16_128(Queue& queue, AttentionVariant variant, const AttentionParameters& parameters,
                               dim3 grid) noexcept;
void launch_attention_bf16_256(Queue& queue, AttentionVariant variant, const AttentionParameters& parameters,
                               dim3 grid) noexcept;

// f32 products: attention_f32.cu. Queries per block for a head dim, and the launch.
int attention_f32_rows(int64_t head_dim) noexcept;
void launch_attention_f32(Queue& queue, const AttentionParameters& parameters, dim3 grid) noexcept;

}  // namespace gtr::cuda
