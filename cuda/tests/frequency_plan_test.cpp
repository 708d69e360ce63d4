// The plan of the frequency energy for every length there is: what the kernels take for granted when they index with
// it.
#include "frequency_plan.h"

#include <initializer_list>

#include "expect.h"

namespace gtr::cuda {
namespace {

constexpr int64_t kMinDim = 2;
constexpr int64_t kMaxDim = 65536;

bool divides_exactly(const FftStage& stage, int64_t length) {
  const int64_t last = (length - 1) / stage.stride * stage.stride;  // the largest multiple
  for (const int64_t n : {int64_t{0}, int64_t{stage.stride} - 1, int64_t{stage.stride}, last - 1, last, length - 1}) {
    if (n >= 0 && n < length && (n * stage.reciprocal >> kReciprocalBits) != n / stage.stride) return false;
  }
  return true;
}

// The stages' lengths multiply up, their tables lie end to end, and one part is left.
bool is_consistent(const FftPlan& plan) {
  if (plan.stage_count < 0 || plan.stage_count > kMaxFftStages) return false;
  int64_t part = plan.length;
  int64_t stride = 1;
  int64_t twiddles = 0;
  int64_t butterflies = 0;
  for (int s = 0; s < plan.stage_count; ++s) {
    const FftStage& stage = plan.stages[s];
    const int64_t radix = stage.radix;
    const bool known = radix == 2 || radix == 3 || radix == 4 || radix == 5 || radix == 8;
    if (!known || part % radix != 0) return false;
    part /= radix;
    if (stage.part != part || stage.stride != stride || stage.twiddles != twiddles) return false;
    if (!divides_exactly(stage, plan.length)) return false;
    if (part > 1) twiddles += (radix - 1) * part;
    butterflies = butterflies > plan.length / radix ? butterflies : plan.length / radix;
    stride *= radix;
  }
  return part == 1 && plan.twiddle_count == twiddles && plan.butterflies == butterflies;
}

bool is_good(const FrequencyPlan& plan, int64_t dim) {
  const bool even = dim % 2 == 0;
  const int64_t length = even ? dim / 2 : dim;
  if (plan.dim != dim || plan.length != length || !is_consistent(plan.fft)) return false;
  if (plan.convolution != !fft_is_smooth(length)) return false;
  if (plan.convolution ? plan.fft.length < 2 * length - 1 : plan.fft.length != length) return false;
  return plan.roots == plan.fft.twiddle_count && plan.chirp == plan.roots + (even ? length / 2 + 1 : 0) &&
         plan.spectrum == plan.chirp + (plan.convolution ? length : 0) &&
         plan.table_size == plan.spectrum + (plan.convolution ? plan.fft.length : 0);
}

void every_length() {
  int64_t good = 0;
  for (int64_t dim = kMinDim; dim <= kMaxDim; ++dim) {
    if (is_good(frequency_plan(dim), dim)) {
      ++good;
    } else {
      std::printf("dim %lld\n", static_cast<long long>(dim));
    }
  }
  EXPECT(good == kMaxDim - kMinDim + 1);
}

void smooth_lengths() {
  for (const int64_t smooth : {1, 2, 3, 4, 5, 6, 384, 512, 640, 59049, 131072}) EXPECT(fft_is_smooth(smooth));
  for (const int64_t rough : {7, 11, 14, 49, 1021, 65521}) EXPECT(!fft_is_smooth(rough));
  EXPECT(fft_smooth_length(1) == 1 && fft_smooth_length(7) == 8 && fft_smooth_length(121) == 125);
  EXPECT(fft_smooth_length(131041) == 131072);
}

// Stages are trips through shared memory: as few as radices up to 8 allow for the widths of MAR-B, L and H.
void models() {
  EXPECT(frequency_plan(768).fft.stage_count == 4 && frequency_plan(1024).fft.stage_count == 3 &&
         frequency_plan(1280).fft.stage_count == 4);
  EXPECT(frequency_plan(2).fft.stage_count == 0 && frequency_plan(2).table_size == 1);
}

}  // namespace
}  // namespace gtr::cuda

int main() {
  gtr::cuda::every_length();
  gtr::cuda::smooth_lengths();
  gtr::cuda::models();
  return gtr::test::result();
}
