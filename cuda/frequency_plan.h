// How the frequency energy of rows of one length is computed on a GPU: plain numbers, which the host works out for each
// call and hands to the kernels by value.
#pragma once

#include <cstdint>

namespace gtr::cuda {

// 131072 is the longest transform that rows of 65536 need, and 3^10 times 2 the one with the most radices below it.
constexpr int kMaxFftStages = 12;

// A decimation-in-frequency stage of Stockham's self-sorting transform: `stride` interleaved transforms of length
// part * radix become stride * radix interleaved ones of length part. Its twiddle factors exp(-2 pi i k p / (part
// radix)), k = 1..radix-1, p = 0..part-1, are a table of its own with p running fastest, so that neighbouring threads
// read neighbours; the last stage, whose part is 1, needs none.
struct FftStage {
  int32_t radix;
  int32_t part;
  int32_t stride;
  int32_t twiddles;    // where its table starts, in elements
  int64_t reciprocal;  // n / stride = (n * reciprocal) >> kReciprocalBits for all n below the length
};
constexpr int kReciprocalBits = 40;

// A complex transform of a length whose prime factors are 2, 3 and 5.
struct FftPlan {
  int32_t length;
  int32_t stage_count;
  int32_t twiddle_count;  // elements of all stages' tables
  int32_t butterflies;    // of the stage that has the most
  FftStage stages[kMaxFftStages];
};

// An even row is a complex row of half the length, two neighbours in an element; an odd one a complex row without
// imaginary parts. A complex row of a length with other prime factors goes through Bluestein's convolution.
//
// The tables lie one after the other, in float2 elements: the stages' twiddle factors, roots, chirp, chirp's spectrum.
struct FrequencyPlan {
  int32_t dim;
  int32_t length;    // of the complex row
  bool convolution;  // fft is of the padded length, at least 2 length - 1; else of `length`
  FftPlan fft;
  int32_t roots;     // exp(-2 pi i k / dim), k = 0..length/2, for taking an even row's spectrum out of its complex one
  int32_t chirp;     // exp(-pi i j^2 / length), j < length
  int32_t spectrum;  // of its conjugate, wrapped around the padded length and divided by that
  int32_t table_size;
};

// Products of 2, 3 and 5: the length itself, and the smallest one that is not less.
bool fft_is_smooth(int64_t length) noexcept;
int64_t fft_smooth_length(int64_t length) noexcept;

// A plan for a smooth length up to 2^17.
FftPlan fft_plan(int64_t length) noexcept;

// dim from 2 to 65536.
FrequencyPlan frequency_plan(int64_t dim) noexcept;

}  // namespace gtr::cuda
