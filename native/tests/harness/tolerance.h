// The error rules of every comparison. All are written so that NaN on either side fails.
#pragma once

#include <cmath>
#include <limits>

namespace gtr::test {

constexpr double kFloatEpsilon = 0x1p-24;    // largest relative error of rounding to float
constexpr double kBfloat16Epsilon = 0x1p-8;  // and to bfloat16

// err <= atol + rtol |ref|
struct Tolerance {
  double atol;
  double rtol;

  double allowed(double reference) const { return atol + rtol * std::fabs(reference); }

  bool accepts(double got, double reference) const {
    if (std::isinf(reference)) return got == reference;
    return std::fabs(got - reference) <= allowed(reference);
  }

  // How far beyond the limit; infinity for NaN and for any error where none is allowed.
  double excess(double got, double reference) const {
    const double error = std::fabs(got - reference);
    const double limit = allowed(reference);
    if (!(error <= std::numeric_limits<double>::max()) || limit == 0) return std::numeric_limits<double>::infinity();
    return error / limit;
  }

  // What storing the result as bfloat16 adds. A hair more than half a unit in the last place: the float that is rounded
  // is not exactly the reference.
  Tolerance stored_as_bfloat16() const { return {atol, rtol + 1.02 * kBfloat16Epsilon}; }
};

constexpr Tolerance kExact{0, 0};

// A float sum of `terms` products whose partial sums stay near 1 in magnitude. Each addition rounds by up to
// kFloatEpsilon; the errors are independent, so they add up like a random walk, sqrt(terms), and blocked summation does
// better. Four times that leaves no test to chance and is still far below what a wrong product (1 / sqrt(terms)) or
// bfloat16 arithmetic (65536 epsilons a product) would show.
inline Tolerance sum_of_products(long terms) {
  return {(8 + 4 * std::sqrt(static_cast<double>(terms))) * kFloatEpsilon, 4 * kFloatEpsilon};
}

}  // namespace gtr::test
