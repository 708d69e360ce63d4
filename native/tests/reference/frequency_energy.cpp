#include "reference/frequency_energy.h"

#include <cmath>

namespace gtr::test::reference {

Values frequency_energy(const Values& z, int64_t dim) {
  const auto size = static_cast<size_t>(dim);
  Values cosine(size);
  Values sine(size);
  for (size_t i = 0; i < size; ++i) {
    const double angle = 2 * std::acos(-1.0) * static_cast<double>(i) / static_cast<double>(dim);
    cosine[i] = std::cos(angle);
    sine[i] = std::sin(angle);
  }
  Values score(z.size() / size);
  const size_t half = size / 2;
  for (size_t row = 0; row < score.size(); ++row) {
    for (size_t k = 1; k <= half; ++k) {
      double real = 0;
      double imaginary = 0;
      size_t turn = 0;  // k n mod D
      for (size_t n = 0; n < size; ++n) {
        real += z[row * size + n] * cosine[turn];
        imaginary -= z[row * size + n] * sine[turn];
        turn += k;
        if (turn >= size) turn -= size;
      }
      score[row] += std::hypot(real, imaginary) * (1 + static_cast<double>(k) / static_cast<double>(half));
    }
  }
  return score;
}

}  // namespace gtr::test::reference
