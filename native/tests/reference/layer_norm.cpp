#include "reference/layer_norm.h"

#include <cmath>

namespace gtr::test::reference {

Values layer_norm(const Values& x, int64_t width, double epsilon, const Values& weight, const Values& bias,
                  const Values& scale, const Values& shift) {
  const auto columns = static_cast<size_t>(width);
  Values y(x.size());
  for (size_t row = 0; row < x.size(); row += columns) {
    double mean = 0;
    for (size_t i = 0; i < columns; ++i) mean += x[row + i];
    mean /= static_cast<double>(width);
    double variance = 0;
    for (size_t i = 0; i < columns; ++i) variance += (x[row + i] - mean) * (x[row + i] - mean);
    variance /= static_cast<double>(width);
    for (size_t i = 0; i < columns; ++i) {
      double value = (x[row + i] - mean) / std::sqrt(variance + epsilon);
      if (!weight.empty()) value *= weight[i];
      if (!bias.empty()) value += bias[i];
      if (!scale.empty()) value *= 1 + scale[row + i];
      if (!shift.empty()) value += shift[row + i];
      y[row + i] = value;
    }
  }
  return y;
}

}  // namespace gtr::test::reference
