#include "reference/top_fraction.h"

#include <algorithm>
#include <cmath>

namespace gtr::test::reference {

int64_t top_fraction_count(double fraction, int64_t n) {
  if (fraction == 0 || n == 0) return 0;
  return std::max<int64_t>(1, static_cast<int64_t>(std::floor(fraction * static_cast<double>(n) + 0.5)));
}

std::vector<bool> top_rows(const std::vector<double>& score, const std::vector<double>& cell, int64_t selected) {
  std::vector<bool> chosen(score.size());
  for (size_t row = 0; row < score.size(); ++row) {
    int64_t better = 0;
    for (size_t other = 0; other < score.size(); ++other) {
      const bool row_is_nan = std::isnan(score[row]);
      const bool other_is_nan = std::isnan(score[other]);
      const bool equal = row_is_nan ? other_is_nan : score[other] == score[row];
      const bool higher = row_is_nan ? !other_is_nan : score[other] > score[row];
      if (higher || (equal && cell[other] < cell[row])) ++better;
    }
    chosen[row] = better < selected;
  }
  return chosen;
}

}  // namespace gtr::test::reference
