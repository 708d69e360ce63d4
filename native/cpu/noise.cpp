#include "noise.h"

#include <algorithm>
#include <cmath>

#include "operations.h"
#include "philox.h"
#include "pool.h"

namespace gtr::cpu {
namespace {

constexpr double kTwoPi = 6.28318530717958647692;
constexpr int64_t kRowsPerTask = 16;

// In 0..1, neither end reached, so that the logarithm is finite.
double uniform(uint32_t word) noexcept { return (word + 0.5) * 0x1p-32; }

template <typename T>
T element(const gtr_tensor& tensor, int64_t i) noexcept {
  return static_cast<const T*>(tensor.data)[i * tensor.stride[0]];
}

}  // namespace

void noise_row(uint64_t seed, uint32_t image, uint32_t cell, uint32_t draw, int64_t channels, float* y) noexcept {
  for (int64_t channel = 0; channel < channels; channel += 4) {
    const uint32_t counter[4] = {static_cast<uint32_t>(channel / 4), draw, cell, image};
    uint32_t words[4];
    philox4x32_10(seed, counter, words);
    float normal[4];
    for (int pair = 0; pair < 4; pair += 2) {
      const double radius = std::sqrt(-2.0 * std::log(uniform(words[pair])));
      const double angle = kTwoPi * uniform(words[pair + 1]);
      normal[pair] = static_cast<float>(radius * std::cos(angle));
      normal[pair + 1] = static_cast<float>(radius * std::sin(angle));
    }
    std::copy_n(normal, std::min<int64_t>(4, channels - channel), y + channel);
  }
}

gtr_status noise(const Context& context, const gtr_tensor& seed, const gtr_tensor& image, const gtr_tensor& cell,
                 const gtr_tensor& draw, const gtr_tensor& y) noexcept {
  const int64_t rows = y.shape[0];
  float* out = static_cast<float*>(y.data);
  context.pool->parallel_for((rows + kRowsPerTask - 1) / kRowsPerTask, [&](int64_t task) {
    const int64_t end = std::min(rows, (task + 1) * kRowsPerTask);
    for (int64_t r = task * kRowsPerTask; r < end; ++r) {
      noise_row(element<uint64_t>(seed, r), element<uint32_t>(image, r), element<uint32_t>(cell, r),
                element<uint32_t>(draw, r), y.shape[1], out + r * y.stride[0]);
    }
  });
  return GTR_OK;
}

}  // namespace gtr::cpu
