#include "frequency_plan.h"

#include <algorithm>

namespace gtr::cuda {
namespace {

// What is left of length after taking out the factor as often as it goes.
int64_t without_factor(int64_t length, int64_t factor) noexcept {
  while (length % factor == 0) length /= factor;
  return length;
}

}  // namespace

bool fft_is_smooth(int64_t length) noexcept {
  return without_factor(without_factor(without_factor(length, 2), 3), 5) == 1;
}

int64_t fft_smooth_length(int64_t length) noexcept {
  while (!fft_is_smooth(length)) ++length;
  return length;
}

// The fewest stages, since each is a trip through shared memory with a barrier at its end: powers of two in eights,
// with one or two fours for what three does not divide. Eights come first and odd radices last, the order in which the
// padded buffers have the fewest bank conflicts: for 384, 512, 640 and 768, 12 % more wavefronts than without any
// (16 % for 512), where without padding it would be twice as many and more.
FftPlan fft_plan(int64_t length) noexcept {
  FftPlan plan{};
  plan.length = static_cast<int32_t>(length);
  int64_t part = length;
  int64_t stride = 1;
  const auto take = [&](int64_t radix) {
    part /= radix;
    FftStage& stage = plan.stages[plan.stage_count++];
    stage.radix = static_cast<int32_t>(radix);
    stage.part = static_cast<int32_t>(part);
    stage.stride = static_cast<int32_t>(stride);
    stage.twiddles = plan.twiddle_count;
    stage.reciprocal = ((int64_t{1} << kReciprocalBits) + stride - 1) / stride;
    if (part > 1) plan.twiddle_count += static_cast<int32_t>((radix - 1) * part);
    plan.butterflies = std::max(plan.butterflies, static_cast<int32_t>(length / radix));
    stride *= radix;
  };
  int twos = 0;
  while ((length >> twos) % 2 == 0) ++twos;
  while (twos >= 5 || twos == 3) {
    take(8);
    twos -= 3;
  }
  for (; twos >= 2; twos -= 2) take(4);
  if (twos == 1) take(2);
  while (part % 3 == 0) take(3);
  while (part % 5 == 0) take(5);
  return plan;
}

FrequencyPlan frequency_plan(int64_t dim) noexcept {
  const bool even = dim % 2 == 0;
  const int64_t length = even ? dim / 2 : dim;
  FrequencyPlan plan{};
  plan.dim = static_cast<int32_t>(dim);
  plan.length = static_cast<int32_t>(length);
  plan.convolution = !fft_is_smooth(length);
  plan.fft = fft_plan(plan.convolution ? fft_smooth_length(2 * length - 1) : length);
  plan.roots = plan.fft.twiddle_count;
  plan.chirp = plan.roots + (even ? plan.length / 2 + 1 : 0);
  plan.spectrum = plan.chirp + (plan.convolution ? plan.length : 0);
  plan.table_size = plan.spectrum + (plan.convolution ? plan.fft.length : 0);
  return plan;
}

}  // namespace gtr::cuda
