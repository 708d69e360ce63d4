#include "fft_plan.h"

#include <algorithm>
#include <cmath>

namespace gtr::cpu {
namespace {

constexpr double kTwoPi = 6.28318530717958647692;
constexpr int64_t kRootsPerStep = 32;

struct Root {
  double re;
  double im;
};

// What is left of length after taking out the factor as often as it goes.
int64_t without_factor(int64_t length, int64_t factor) noexcept {
  while (length % factor == 0) length /= factor;
  return length;
}

}  // namespace

bool fft_has_radices(int64_t length) noexcept {
  for (int64_t radix = 2; radix <= kLargestRadix && length > 1; ++radix) length = without_factor(length, radix);
  return length == 1;
}

int64_t fft_smooth_length(int64_t length) noexcept {
  while (without_factor(without_factor(without_factor(length, 2), 3), 5) != 1) ++length;
  return length;
}

UnitRoots fft_unit_roots(int64_t count, float* values) noexcept {
  // One quadrant gives the others by exact rotation; in it, roots are products of a coarse and a fine one.
  const int64_t quadrants = count % 4 == 0 ? 4 : 1;
  const int64_t computed = count / quadrants;
  const auto root = [&](int64_t k) {
    const double angle = kTwoPi * static_cast<double>(k) / static_cast<double>(count);
    return Root{std::cos(angle), -std::sin(angle)};
  };
  Root near[kRootsPerStep];
  for (int64_t k = 0; k < std::min(kRootsPerStep, computed); ++k) near[k] = root(k);
  for (int64_t first = 0; first < computed; first += kRootsPerStep) {
    const Root far = root(first);
    for (int64_t k = first; k < std::min(first + kRootsPerStep, computed); ++k) {
      const Root& by = near[k - first];
      values[2 * k] = static_cast<float>(far.re * by.re - far.im * by.im);
      values[2 * k + 1] = static_cast<float>(far.re * by.im + far.im * by.re);
    }
  }
  for (int64_t k = computed; k < count; ++k) {
    const int64_t before = k - computed;  // a quarter turn is a factor -i
    values[2 * k] = values[2 * before + 1];
    values[2 * k + 1] = -values[2 * before];
  }
  return {values, count};
}

FftPlan fft_plan(int64_t length, const UnitRoots& roots) noexcept {
  FftPlan plan{length, roots, 0, {}};
  int64_t left = length;
  const auto take = [&](int64_t radix) {
    plan.factors[plan.factor_count++] = static_cast<int32_t>(radix);
    left /= radix;
  };
  // Each stage passes over all elements: as few as possible, and two of radix 4 rather than one of 8 and one of 2.
  int twos = 0;
  for (int64_t rest = length; rest % 2 == 0; rest /= 2) ++twos;
  for (; twos >= 3 && twos != 4; twos -= 3) take(8);
  for (; twos >= 2; twos -= 2) take(4);
  for (int64_t radix = 2; radix <= kLargestRadix; ++radix) {
    while (left % radix == 0) take(radix);
  }
  return plan;
}

}  // namespace gtr::cpu
