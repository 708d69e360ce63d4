#include "frequency_energy.h"

#include <algorithm>
#include <cmath>

#include "operations.h"
#include "pool.h"

namespace gtr::cpu {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr int64_t kAlignment = GTR_ALIGNMENT;

const FrequencyKernel& kernel_of(Tier tier) noexcept {
  switch (tier) {
#ifdef GTR_HAS_TIER_AVX512
    case Tier::kAmxBf16:  // nothing here is bfloat16
    case Tier::kAvx512Bf16:
    case Tier::kAvx512:
      return avx512::kFrequency;
#endif
#ifdef GTR_HAS_TIER_AVX2
    case Tier::kAvx2:
      return avx2::kFrequency;
#endif
    default:
      return scalar::kFrequency;
  }
}

// Where things lie in scratch, in bytes from its start.
struct Layout {
  int64_t length;          // of the complex row
  int64_t padded;          // Bluestein's length, or 0
  int64_t real_roots;      // order dim
  int64_t padded_roots;    // order `padded`
  int64_t chirp;           // `length` elements
  int64_t chirp_spectrum;  // `padded` elements
  int64_t buffers;         // one pair for each group in flight
  int64_t buffer_bytes;    // of a pair
  int64_t in_flight;
  int64_t size;
};

Layout layout_of(const FrequencyKernel& kernel, int threads, int64_t rows, int64_t dim) noexcept {
  Layout layout{};
  const auto reserve = [&](int64_t bytes) {
    const int64_t at = layout.size;
    layout.size += (bytes + kAlignment - 1) / kAlignment * kAlignment;
    return at;
  };
  constexpr int64_t kComplex = 2 * sizeof(float);
  layout.length = dim % 2 == 0 ? dim / 2 : dim;
  layout.padded = fft_has_radices(layout.length) ? 0 : fft_smooth_length(2 * layout.length - 1);
  layout.real_roots = reserve(dim * kComplex);
  layout.padded_roots = reserve(layout.padded * kComplex);
  layout.chirp = reserve(layout.padded > 0 ? layout.length * kComplex : 0);
  layout.chirp_spectrum = reserve(layout.padded * kComplex);
  layout.in_flight = std::min<int64_t>(threads, (rows + kernel.lanes - 1) / kernel.lanes);
  layout.buffer_bytes = 2 * std::max(layout.length, layout.padded) * kComplex * kernel.lanes;
  layout.buffers = reserve(layout.in_flight * layout.buffer_bytes);
  return layout;
}

FrequencyPlan make_plan(const FrequencyKernel& kernel, const Layout& layout, int64_t dim, char* scratch) noexcept {
  const auto floats_at = [&](int64_t offset) { return reinterpret_cast<float*>(scratch + offset); };
  FrequencyPlan plan{};
  plan.dim = dim;
  plan.length = layout.length;
  plan.real = fft_unit_roots(dim, floats_at(layout.real_roots));
  if (layout.padded == 0) {
    plan.fft = fft_plan(layout.length, plan.real);
    return plan;
  }
  plan.fft = fft_plan(layout.padded, fft_unit_roots(layout.padded, floats_at(layout.padded_roots)));
  float* const chirp = floats_at(layout.chirp);
  float* const spectrum = floats_at(layout.chirp_spectrum);
  std::fill_n(spectrum, 2 * layout.padded, 0.0f);
  for (int64_t j = 0; j < layout.length; ++j) {
    // j^2 is reduced exactly before it becomes an angle.
    const double angle = kPi * static_cast<double>(j * j % (2 * layout.length)) / static_cast<double>(layout.length);
    const double re = std::cos(angle);
    const double im = std::sin(angle);
    chirp[2 * j] = static_cast<float>(re);
    chirp[2 * j + 1] = static_cast<float>(-im);
    const double scale = 1.0 / static_cast<double>(layout.padded);
    for (const int64_t at : {j, (layout.padded - j) % layout.padded}) {
      spectrum[2 * at] = static_cast<float>(re * scale);
      spectrum[2 * at + 1] = static_cast<float>(im * scale);
    }
  }
  kernel.transform(plan.fft, spectrum, scratch + layout.buffers);
  plan.chirp = chirp;
  plan.chirp_spectrum = spectrum;
  return plan;
}

}  // namespace

int64_t frequency_energy_scratch_size(Tier tier, int threads, int64_t rows, int64_t dim) noexcept {
  return layout_of(kernel_of(tier), threads, rows, dim).size;
}

gtr_status frequency_energy(const Context& context, const gtr_tensor& z, const gtr_tensor& score,
                            void* scratch) noexcept {
  const FrequencyKernel& kernel = kernel_of(context.tier);
  const int64_t rows = z.shape[0];
  const int64_t dim = z.shape[1];
  if (rows == 0) return GTR_OK;
  char* const base = static_cast<char*>(scratch);
  const Layout layout = layout_of(kernel, context.pool->threads(), rows, dim);
  const FrequencyPlan plan = make_plan(kernel, layout, dim, base);
  // Every task has its own buffers and takes every in_flight-th group.
  context.pool->parallel_for(layout.in_flight, [&](int64_t task) {
    char* const buffers = base + layout.buffers + task * layout.buffer_bytes;
    for (int64_t r = task * kernel.lanes; r < rows; r += layout.in_flight * kernel.lanes) {
      kernel.score(plan, static_cast<const float*>(z.data) + r * z.stride[0], z.stride[0],
                   std::min(kernel.lanes, rows - r), static_cast<float*>(score.data) + r * score.stride[0],
                   score.stride[0], buffers);
    }
  });
  return GTR_OK;
}

}  // namespace gtr::cpu
