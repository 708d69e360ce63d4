// Packed weights of `linear`, and the order in which every kernel sums.
//
// W [outputs, inputs] lies in steps of 512 bytes: a step holds 64 bytes (32 bf16 or 16 f32 inputs) of each of 8 rows of
// W, the 8 columns of one column tile of y. Steps of a tile follow each other, tiles follow each other:
// [tiles][steps][32 chunks][16 bytes]. A chunk is 8 bf16 or 4 f32 neighbours of one row. Chunk c of a step belongs to
//   bf16: row c / 4, inputs 8 (c % 4) and on;
//   f32:  row c % 8, inputs 4 (c / 8) and on, so that 8 lanes with a column each read 128 bytes without a bank
//   conflict.
// What lies beyond the last row or input is zero.
//
// In shared memory a step's chunks are swizzled (swizzled_chunk), so that neither asynchronous copies nor ldmatrix meet
// bank conflicts: what ldmatrix gives of a step are the fragments of two k-steps of m16n8k16, the first of inputs 0 to
// 15 and the second of 16 to 31. wgmma sums the same sixteen (linear_hopper.cu), with the same bits.
//
// The sum over the inputs is cut into partitions, whose bounds depend on the number of steps, and for bf16 on that of
// outputs, alone. Every kernel sums a partition in ascending order into one accumulator that starts at zero, and adds
// the partitions in ascending order. So an element of y has the same bits whatever the number of rows, and the kernel
// that they choose. Partitions are what warps work on at once where there are few rows: four for f32, whose chains of
// additions are longer, and two for bf16, where the tiles of tall products must keep their sums in registers. Matrices
// of twice as many outputs as inputs, or the other way round, have a single one: in a MAR model these are a block's
// qkv, fc1 and fc2 and the head's modulations, whose products are tall, and want the largest tiles.
#pragma once

#include <cstdint>

#include "operations.h"

namespace gtr::cuda {

constexpr int kTileColumns = 8;
constexpr int kStepChunks = 32;  // of 16 bytes
constexpr int kStepBytes = kStepChunks * 16;
constexpr int kStepRowBytes = kStepBytes / kTileColumns;  // of a row of x or W
constexpr int kStepInputsBf16 = kStepRowBytes / 2;
constexpr int kStepInputsF32 = kStepRowBytes / 4;
constexpr int kPartitionsBf16 = 2;
constexpr int kPartitionsF32 = 4;

// Partition p has the steps partition_start(p) .. partition_start(p + 1) - 1; late ones may be empty.
template <int kPartitions>
__host__ __device__ __forceinline__ int partition_start(int steps, int p) {
  const int each = (steps + kPartitions - 1) / kPartitions;
  const int start = p * each;
  return start < steps ? start : steps;
}

// Of a bf16 step in shared memory, or of 8 rows of x that go with it: the place of chunk c.
__host__ __device__ __forceinline__ int swizzled_chunk(int c) { return c ^ ((c >> 3) & 3); }

// The chunk whose address lane l gives to ldmatrix for all of a step: row l % 8 of the tile of inputs 8 (l / 8) and on.
__host__ __device__ __forceinline__ int fragment_chunk(int lane) { return swizzled_chunk(4 * (lane % 8) + lane / 8); }

// The same for bf16: of two partitions, the second may be empty.
__host__ __device__ __forceinline__ int partition_start_bf16(int64_t outputs, int steps, int p) {
  const int units = static_cast<int>(outputs / kStepInputsBf16);  // as many outputs as a step has inputs
  const bool is_single = units >= 2 * steps || steps >= 2 * (units + 1);
  const int middle = is_single ? steps : (steps + 1) / kPartitionsBf16;
  return p == 0 ? 0 : p == 1 ? middle : steps;
}

inline int64_t step_inputs(gtr_precision precision) {
  return precision == GTR_PRECISION_BF16 ? kStepInputsBf16 : kStepInputsF32;
}

struct Linear {
  Device* device;
  int64_t outputs;
  int64_t inputs;
  gtr_precision precision;
  int32_t steps;         // of a tile
  int32_t tiles;         // of 8 columns
  void* weights;         // device, tiles * steps * 512 bytes
  float* bias;           // device, tiles * 8
  int64_t device_bytes;  // of the allocation that weights starts
  void* plain;           // device, row-major [outputs, plain_stride], zeros beyond the inputs; null without cuBLASLt
  int64_t plain_bytes;
};

inline int64_t plain_stride(const Linear& linear) { return linear.steps * step_inputs(linear.precision); }

}  // namespace gtr::cuda
