#include "reference/linear.h"

#include <cmath>

#include "harness/bfloat16.h"

namespace gtr::test::reference {
namespace {

double dot(const double* a, const double* b, int64_t count) {
  double lanes[4] = {};
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (int64_t lane = 0; lane < 4; ++lane) lanes[lane] += a[i + lane] * b[i + lane];
  }
  double sum = lanes[0] + lanes[1] + lanes[2] + lanes[3];
  for (; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

// The values that are multiplied: as they are, or rounded into storage. Chains call this with whole weights at every
// step, so nothing is copied that need not be.
const Values& rounded(const Values& values, gtr_precision precision, Values& storage) {
  if (precision != GTR_PRECISION_BF16) return values;
  storage = values;
  for (double& value : storage) value = round_to_bfloat16(value);
  return storage;
}

}  // namespace

double activate(gtr_activation activation, double x) {
  switch (activation) {
    case GTR_ACTIVATION_GELU:
      return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case GTR_ACTIVATION_SILU:
      return x / (1 + std::exp(-x));
    case GTR_ACTIVATION_NONE:
      break;
  }
  return x;
}

Values linear(const Values& x, const Values& weight, const Values& bias, int64_t inputs, int64_t outputs,
              gtr_precision precision, gtr_activation activation, const Values& gate, const Values& residual) {
  Values left_storage, right_storage;
  const Values& left = rounded(x, precision, left_storage);
  const Values& right = rounded(weight, precision, right_storage);
  const int64_t rows = static_cast<int64_t>(x.size()) / inputs;
  Values y(static_cast<size_t>(rows * outputs));
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < outputs; ++column) {
      const auto at = static_cast<size_t>(row * outputs + column);
      double sum = dot(&left[static_cast<size_t>(row * inputs)], &right[static_cast<size_t>(column * inputs)], inputs);
      if (!bias.empty()) sum += bias[static_cast<size_t>(column)];
      sum = activate(activation, sum);
      if (!gate.empty()) sum *= gate[at];
      if (!residual.empty()) sum += residual[at];
      y[at] = sum;
    }
  }
  return y;
}

}  // namespace gtr::test::reference
