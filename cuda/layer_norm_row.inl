// Layer norm of a row, for the layer norm kernel and for kernels that normalise what they are about to multiply.
// Everybody who calls this gets the same bits for the same row: a row is cut into quads of four neighbouring elements,
// quad q belongs to thread q % 128 of 128, a thread adds its quads in ascending order, the sums of 32 threads meet in a
// butterfly, and the four sums of these are added as (0 + 1) + (2 + 3). So the order depends on the width alone, a quad
// is one 16-byte access, and 32 threads read 512 neighbouring bytes at once.
//
// Four warps share a row, or two, each of which then does the work of two: with a row of 1536 elements a thread of four
// warps has 3 quads, all of which are on their way at once, and few rows are a matter of latency alone.
//
// The row is read three times (from registers where kSteps > 0): for its mean; for the mean and the mean square of the
// differences from that, which also finds how far the mean was off by rounding, so that a mean that is large beside the
// deviation costs no accuracy; and for the result.
#pragma once

#include <cstdint>

#include "device.h"

namespace gtr::cuda {

constexpr int kQuad = 4;
constexpr int kNormWarps = 4;
constexpr int kNormThreads = kNormWarps * kWarp;
constexpr int kNormStep = kNormThreads * kQuad;  // elements of a row that are taken at a time

// Where the warps of a row meet: in shared memory, one for each row that a block has at a time.
struct NormSums {
  float of_row[kNormWarps];
  float of_differences[kNormWarps];
  float of_squares[kNormWarps];
};

// n(x) = ((x - mean) - correction) * factor.
struct NormMoments {
  float mean;
  float correction;
  float factor;  // 1 / sqrt(variance + epsilon)
};

__device__ __forceinline__ float4 operator+(float4 a, float4 b) {
  return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}
__device__ __forceinline__ float4 operator*(float4 a, float4 b) {
  return make_float4(a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w);
}

// Elements 4 quad .. 4 quad + 3 of a row, 0 from its width on. kVector: the row is aligned to four elements, and has
// whole quads.
template <bool kVector>
__device__ __forceinline__ float4 load_quad(const float* row, int64_t width, int64_t quad) {
  const int64_t i = quad * kQuad;
  if constexpr (kVector) return *reinterpret_cast<const float4*>(row + i);
  return make_float4(i < width ? row[i] : 0.0f, i + 1 < width ? row[i + 1] : 0.0f, i + 2 < width ? row[i + 2] : 0.0f,
                     i + 3 < width ? row[i + 3] : 0.0f);
}
template <bool kVector>
__device__ __forceinline__ float4 load_quad(const Bf16* row, int64_t width, int64_t quad) {
  const int64_t i = quad * kQuad;
  if constexpr (kVector) {
    const uint2 four = *reinterpret_cast<const uint2*>(row + i);
    const float2 low = unpack_bf16(four.x);
    const float2 high = unpack_bf16(four.y);
    return make_float4(low.x, low.y, high.x, high.y);
  }
  return make_float4(i < width ? to_float(row[i]) : 0.0f, i + 1 < width ? to_float(row[i + 1]) : 0.0f,
                     i + 2 < width ? to_float(row[i + 2]) : 0.0f, i + 3 < width ? to_float(row[i + 3]) : 0.0f);
}

template <bool kVector>
__device__ __forceinline__ void store_quad(float* row, int64_t width, int64_t quad, float4 v) {
  const int64_t i = quad * kQuad;
  if constexpr (kVector) {
    *reinterpret_cast<float4*>(row + i) = v;
    return;
  }
  if (i < width) row[i] = v.x;
  if (i + 1 < width) row[i + 1] = v.y;
  if (i + 2 < width) row[i + 2] = v.z;
  if (i + 3 < width) row[i + 3] = v.w;
}
template <bool kVector>
__device__ __forceinline__ void store_quad(Bf16* row, int64_t width, int64_t quad, float4 v) {
  const int64_t i = quad * kQuad;
  if constexpr (kVector) {
    *reinterpret_cast<uint2*>(row + i) = make_uint2(pack_bf16(v.x, v.y), pack_bf16(v.z, v.w));
    return;
  }
  if (i < width) row[i] = to_bf16(v.x);
  if (i + 1 < width) row[i + 1] = to_bf16(v.y);
  if (i + 2 < width) row[i + 2] = to_bf16(v.z);
  if (i + 3 < width) row[i + 3] = to_bf16(v.w);
}

// Calls body(held, part, quad) for the thread's quads of a row in ascending order; warp `rank` of the kWarps that share
// the row. `part` is which of the thread's kNormWarps / kWarps sums the quad belongs to. kSteps: 0, or at least width /
// kNormStep; then the loop is unrolled, so that `held` can index kSteps * kNormWarps / kWarps registers.
template <int kWarps, int kSteps, typename Body>
__device__ __forceinline__ void for_quads(int rank, int64_t width, const Body& body) {
  constexpr int kParts = kNormWarps / kWarps;
  const int64_t quads = (width + kQuad - 1) / kQuad;
  const int first = rank * kWarp + lane_id();
  if constexpr (kSteps > 0) {
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
#pragma unroll
      for (int part = 0; part < kParts; ++part) {
        const int quad = step * kNormThreads + part * kWarps * kWarp + first;
        if (quad < static_cast<int>(quads)) body(step * kParts + part, part, quad);
      }
    }
  } else {
    for (int64_t start = first; start < quads; start += kNormThreads) {
#pragma unroll
      for (int part = 0; part < kParts; ++part) {
        const int64_t quad = start + part * kWarps * kWarp;
        if (quad < quads) body(0, part, quad);
      }
    }
  }
}

// Warp. The sum over the lanes, the same bits in all of them.
__device__ __forceinline__ float warp_sum(float value) {
#pragma unroll
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  return value;
}

// Warp. Of the warp `rank` of a row: its sums over the lanes, to where all warps of the row will find them.
template <int kWarps>
__device__ __forceinline__ void put_sums(int rank, const float (&parts)[kNormWarps / kWarps],
                                         float (&sums)[kNormWarps]) {
#pragma unroll
  for (int part = 0; part < kNormWarps / kWarps; ++part) {
    const float sum = warp_sum(parts[part]);
    if (lane_id() == 0) sums[part * kWarps + rank] = sum;
  }
}

__device__ __forceinline__ float total(const float (&sums)[kNormWarps]) {
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// Block: all of its warps have a row, or do as if, kWarps warps one row; `sums` is the row's own.
// load(held, quad) -> float4: the row's elements, 0 from its width on; called twice for each of the thread's quads, as
// by for_quads<kWarps, kSteps>. kVector: the row has whole quads.
// The next row may follow without a barrier: nobody writes what another thread may still have to read.
template <int kWarps, int kSteps, bool kVector, typename Load>
__device__ __forceinline__ NormMoments norm_moments(int rank, int64_t width, float epsilon, NormSums& sums,
                                                    const Load& load) {
  static_assert(kWarps == 2 || kWarps == kNormWarps, "two or four warps share a row");
  constexpr int kParts = kNormWarps / kWarps;
  const float count = static_cast<float>(width);
  float of_row[kParts] = {};
  for_quads<kWarps, kSteps>(rank, width, [&](int held, int part, int64_t quad) {
    const float4 v = load(held, quad);
    of_row[part] += (v.x + v.y) + (v.z + v.w);
  });
  put_sums<kWarps>(rank, of_row, sums.of_row);
  block_sync();
  const float mean = total(sums.of_row) / count;

  float differences[kParts] = {};
  float squares[kParts] = {};
  for_quads<kWarps, kSteps>(rank, width, [&](int held, int part, int64_t quad) {
    const float4 v = load(held, quad);
    const int64_t left = kVector ? kQuad : width - quad * kQuad;
    const float x = v.x - mean;
    const float y = left > 1 ? v.y - mean : 0.0f;
    const float z = left > 2 ? v.z - mean : 0.0f;
    const float w = left > 3 ? v.w - mean : 0.0f;
    differences[part] += (x + y) + (z + w);
    squares[part] += fmaf(x, x, y * y) + fmaf(z, z, w * w);
  });
  put_sums<kWarps>(rank, differences, sums.of_differences);
  put_sums<kWarps>(rank, squares, sums.of_squares);
  block_sync();
  const float correction = total(sums.of_differences) / count;
  const float variance = total(sums.of_squares) / count - correction * correction;
  const float positive = variance < 0.0f ? 0.0f : variance;  // lets NaN through
  return {mean, correction, 1.0f / sqrtf(positive + epsilon)};
}

__device__ __forceinline__ float normalised(float x, const NormMoments& moments) {
  return ((x - moments.mean) - moments.correction) * moments.factor;
}
__device__ __forceinline__ float4 normalised(float4 x, const NormMoments& moments) {
  return make_float4(normalised(x.x, moments), normalised(x.y, moments), normalised(x.z, moments),
                     normalised(x.w, moments));
}

// adaLN: x (1 + scale) + shift.
__device__ __forceinline__ float modulated(float x, float scale, float shift) { return fmaf(x, 1.0f + scale, shift); }
__device__ __forceinline__ float4 modulated(float4 x, float4 scale, float4 shift) {
  return make_float4(modulated(x.x, scale.x, shift.x), modulated(x.y, scale.y, shift.y),
                     modulated(x.z, scale.z, shift.z), modulated(x.w, scale.w, shift.w));
}

// Host. epsilon as norm_moments takes it: not 0, which a row of equal values would be divided by.
inline float norm_epsilon(double epsilon) noexcept {
  constexpr double kSmallest = 0x1p-126;
  constexpr double kLargest = 0x1.fffffep127;
  return static_cast<float>(epsilon < kSmallest ? kSmallest : epsilon > kLargest ? kLargest : epsilon);
}

}  // namespace gtr::cuda
