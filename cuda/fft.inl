// A block transforms a complex row: mixed radices 8, 4, 2, 3 and 5, forward, self-sorting. See frequency_plan.h.
#pragma once

#include "device.h"
#include "frequency_plan.h"

namespace gtr::cuda {

// ---- complex numbers

__device__ __forceinline__ float2 plus(float2 a, float2 b) { return make_float2(a.x + b.x, a.y + b.y); }
__device__ __forceinline__ float2 minus(float2 a, float2 b) { return make_float2(a.x - b.x, a.y - b.y); }
__device__ __forceinline__ float2 times(float2 a, float2 b) {
  return make_float2(fmaf(a.x, b.x, -(a.y * b.y)), fmaf(a.x, b.y, a.y * b.x));
}
__device__ __forceinline__ float2 scaled(float s, float2 a) { return make_float2(s * a.x, s * a.y); }
__device__ __forceinline__ float2 conjugate(float2 a) { return make_float2(a.x, -a.y); }
// a times -i.
__device__ __forceinline__ float2 quarter_turn(float2 a) { return make_float2(a.y, -a.x); }

// scale exp(-2 pi i k / n), computed in double and rounded once.
__device__ __forceinline__ float2 unit_root(int64_t k, int64_t n, double scale = 1.0) {
  double sine;
  double cosine;
  sincospi(2.0 * static_cast<double>(k) / static_cast<double>(n), &sine, &cosine);
  return make_float2(static_cast<float>(scale * cosine), static_cast<float>(-scale * sine));
}

// ---- transforms of 2, 3, 4, 5 and 8 elements

__device__ __forceinline__ void butterfly(float2 (&a)[2]) {
  const float2 sum = plus(a[0], a[1]);
  a[1] = minus(a[0], a[1]);
  a[0] = sum;
}

__device__ __forceinline__ void butterfly(float2 (&a)[3]) {
  constexpr float kSin60 = 0.866025403784438646763723170752936183f;
  const float2 sum = plus(a[1], a[2]);
  const float2 middle = minus(a[0], scaled(0.5f, sum));
  const float2 side = quarter_turn(scaled(kSin60, minus(a[1], a[2])));
  a[0] = plus(a[0], sum);
  a[1] = plus(middle, side);
  a[2] = minus(middle, side);
}

__device__ __forceinline__ void butterfly(float2 (&a)[4]) {
  const float2 even = plus(a[0], a[2]);
  const float2 even_difference = minus(a[0], a[2]);
  const float2 odd = plus(a[1], a[3]);
  const float2 odd_difference = quarter_turn(minus(a[1], a[3]));
  a[0] = plus(even, odd);
  a[1] = plus(even_difference, odd_difference);
  a[2] = minus(even, odd);
  a[3] = minus(even_difference, odd_difference);
}

__device__ __forceinline__ void butterfly(float2 (&a)[5]) {
  constexpr float kCos72 = 0.309016994374947424102293417182819059f;
  constexpr float kCos144 = -0.809016994374947424102293417182819059f;
  constexpr float kSin72 = 0.951056516295153572116439333379382143f;
  constexpr float kSin144 = 0.587785252292473129168705954639072769f;
  const float2 sum1 = plus(a[1], a[4]);
  const float2 sum2 = plus(a[2], a[3]);
  const float2 difference1 = minus(a[1], a[4]);
  const float2 difference2 = minus(a[2], a[3]);
  const float2 middle1 = plus(plus(a[0], scaled(kCos72, sum1)), scaled(kCos144, sum2));
  const float2 middle2 = plus(plus(a[0], scaled(kCos144, sum1)), scaled(kCos72, sum2));
  const float2 side1 = quarter_turn(plus(scaled(kSin72, difference1), scaled(kSin144, difference2)));
  const float2 side2 = quarter_turn(minus(scaled(kSin144, difference1), scaled(kSin72, difference2)));
  a[0] = plus(plus(a[0], sum1), sum2);
  a[1] = plus(middle1, side1);
  a[2] = plus(middle2, side2);
  a[3] = minus(middle2, side2);
  a[4] = minus(middle1, side1);
}

// Of the even and of the odd elements, joined by the eighth roots of 1.
__device__ __forceinline__ void butterfly(float2 (&a)[8]) {
  constexpr float kHalfRoot = 0.707106781186547524400844362104849039f;  // 1 / sqrt(2)
  float2 even[4] = {a[0], a[2], a[4], a[6]};
  float2 odd[4] = {a[1], a[3], a[5], a[7]};
  butterfly(even);
  butterfly(odd);
  odd[1] = scaled(kHalfRoot, plus(odd[1], quarter_turn(odd[1])));
  odd[2] = quarter_turn(odd[2]);
  odd[3] = scaled(kHalfRoot, minus(quarter_turn(odd[3]), odd[3]));
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    a[k] = plus(even[k], odd[k]);
    a[k + 4] = minus(even[k], odd[k]);
  }
}

// ---- rows

// Where element i of a row lies in its buffer. One element in 17 stays empty, so that the threads of a half-warp, which
// write elements that are powers of two apart, meet in few of the 16 banks of 8 bytes.
__host__ __device__ __forceinline__ constexpr int32_t padded(int32_t i) { return i + (i >> 4); }

// Block. A butterfly each for as many threads as there are. source, target: buffers in `memory`, as offsets, so that
// the compiler sees what memory it is.
template <int kRadix>
__device__ __forceinline__ void fft_stage(const FftStage& stage, const float2* twiddles, float2* memory, int32_t source,
                                          int32_t target) {
  const int32_t butterflies = stage.part * stage.stride;
  for (int32_t i = static_cast<int32_t>(threadIdx.x); i < butterflies; i += static_cast<int32_t>(blockDim.x)) {
    const auto p = static_cast<int32_t>(i * stage.reciprocal >> kReciprocalBits);
    float2 a[kRadix];
#pragma unroll
    for (int j = 0; j < kRadix; ++j) a[j] = memory[source + padded(i + butterflies * j)];
    butterfly(a);
    if (stage.part > 1) {
#pragma unroll
      for (int k = 1; k < kRadix; ++k) a[k] = times(a[k], twiddles[stage.twiddles + (k - 1) * stage.part + p]);
    }
    const int32_t first = i + p * stage.stride * (kRadix - 1);
#pragma unroll
    for (int k = 0; k < kRadix; ++k) memory[target + padded(first + stage.stride * k)] = a[k];
  }
}

// Block. Transforms the row in the buffer at `source` of memory, with the one at `other` to help, after a block_sync
// behind whatever wrote it. Returns which of the two has the result, for all threads to read.
__device__ __forceinline__ int32_t fft_transform(const FftPlan& plan, const float2* twiddles, float2* memory,
                                                 int32_t source, int32_t other) {
  for (int32_t s = 0; s < plan.stage_count; ++s) {
    const FftStage& stage = plan.stages[s];
    switch (stage.radix) {
      case 8:
        fft_stage<8>(stage, twiddles, memory, source, other);
        break;
      case 4:
        fft_stage<4>(stage, twiddles, memory, source, other);
        break;
      case 2:
        fft_stage<2>(stage, twiddles, memory, source, other);
        break;
      case 3:
        fft_stage<3>(stage, twiddles, memory, source, other);
        break;
      default:
        fft_stage<5>(stage, twiddles, memory, source, other);
        break;
    }
    block_sync();
    const int32_t result = other;
    other = source;
    source = result;
  }
  return source;
}

}  // namespace gtr::cuda
