// Layer norm of one row by one warp, for the layer norm kernel and for kernels that normalise what they are about to
// multiply. Everybody who calls this gets the same bits for the same row: a row is cut into quads of four neighbouring
// elements, quad q belongs to lane q % 32, a lane adds its quads in ascending order, and the lanes' sums meet in a
// butterfly. So the order depends on the width alone, a quad is one 16-byte access, and a warp reads 512 neighbouring
// bytes at once.
//
// One warp a row, however wide: the models' rows of 768 to 1536 elements are 6 to 12 quads a lane, which registers
// hold, and a warp needs no barrier, so the code fits into any kernel.
//
// The row is read three times (from registers where kSteps > 0): for its mean; for the mean and the mean square of the
// differences from that, which also finds how far the mean was off by rounding, so that a mean that is large beside the
// deviation costs no accuracy; and for the result.
#pragma once

#include <cstdint>

#include "device.h"

namespace gtr::cuda {

constexpr int kQuad = 4;
constexpr int kWarpQuads = kWarp * kQuad;  // elements that a warp takes in a step

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

// Elements 4 quad .. 4 quad + 3 of a row, 0 from its width on. kVector: the row is aligned to four elements.
template <bool kVector>
__device__ __forceinline__ float4 load_quad(const float* row, int64_t width, int64_t quad) {
  const int64_t i = quad * kQuad;
  if (kVector && i + kQuad <= width) return *reinterpret_cast<const float4*>(row + i);
  return make_float4(i < width ? row[i] : 0.0f, i + 1 < width ? row[i + 1] : 0.0f, i + 2 < width ? row[i + 2] : 0.0f,
                     i + 3 < width ? row[i + 3] : 0.0f);
}
template <bool kVector>
__device__ __forceinline__ float4 load_quad(const Bf16* row, int64_t width, int64_t quad) {
  const int64_t i = quad * kQuad;
  if (kVector && i + kQuad <= width) {
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
  if (kVector && i + kQuad <= width) {
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
  if (kVector && i + kQuad <= width) {
    *reinterpret_cast<uint2*>(row + i) = make_uint2(pack_bf16(v.x, v.y), pack_bf16(v.z, v.w));
    return;
  }
  if (i < width) row[i] = to_bf16(v.x);
  if (i + 1 < width) row[i + 1] = to_bf16(v.y);
  if (i + 2 < width) row[i + 2] = to_bf16(v.z);
  if (i + 3 < width) row[i + 3] = to_bf16(v.w);
}

// Calls body(step, quad) for the lane's quads of a row in ascending order. kSteps: 0, or enough for the width; then
// the loop is unrolled, so that `step` can index registers.
template <int kSteps, typename Body>
__device__ __forceinline__ void for_quads(int64_t width, const Body& body) {
  const int64_t quads = (width + kQuad - 1) / kQuad;
  if constexpr (kSteps > 0) {
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
      const int quad = lane_id() + step * kWarp;
      if (quad < static_cast<int>(quads)) body(step, quad);
    }
  } else {
    int step = 0;
    for (int64_t quad = lane_id(); quad < quads; quad += kWarp) body(step++, quad);
  }
}

// Warp. The sum over the lanes, the same bits in all of them.
__device__ __forceinline__ float warp_sum(float value) {
#pragma unroll
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  return value;
}

// Warp. load(step, quad) -> float4: the row's elements, 0 from its width on; called twice for each of the lane's quads,
// as by for_quads<kSteps>.
template <int kSteps, typename Load>
__device__ __forceinline__ NormMoments norm_moments(int64_t width, float epsilon, const Load& load) {
  const float count = static_cast<float>(width);
  float sum = 0.0f;
  for_quads<kSteps>(width, [&](int step, int64_t quad) {
    const float4 v = load(step, quad);
    sum += (v.x + v.y) + (v.z + v.w);
  });
  const float mean = warp_sum(sum) / count;

  float differences = 0.0f;
  float squares = 0.0f;
  for_quads<kSteps>(width, [&](int step, int64_t quad) {
    const float4 v = load(step, quad);
    const int64_t left = width - quad * kQuad;
    const float x = v.x - mean;
    const float y = left > 1 ? v.y - mean : 0.0f;
    const float z = left > 2 ? v.z - mean : 0.0f;
    const float w = left > 3 ? v.w - mean : 0.0f;
    differences += (x + y) + (z + w);
    squares += fmaf(x, x, y * y) + fmaf(z, z, w * w);
  });
  const float correction = warp_sum(differences) / count;
  const float variance = warp_sum(squares) / count - correction * correction;
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
