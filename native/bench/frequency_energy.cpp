// Frequency energy of the tokens of the last decode step of MAR-B, L and H. A transform of D real numbers is counted as
// 5/2 D log2 D operations, the convention of FFT benchmarks.
#include <cmath>
#include <string>
#include <vector>

#include "matrix.h"
#include "models.h"
#include "runner.h"

namespace gtr::bench {

void bench_frequency_energy(Runner& runner) {
  const std::vector<int64_t> list = runner.is_small()         ? std::vector<int64_t>{1}
                                    : runner.has_card_cases() ? std::vector<int64_t>{1, 32}
                                                              : std::vector<int64_t>{1, 8};
  for (const Model& model : runner.models()) {
    for (const int64_t images : list) {
      const int64_t rows = images * model.tokens() / 2;
      const auto width = static_cast<double>(model.width);
      const Case c{"frequency energy",
                   std::string(model.name) + ", " + std::to_string(rows) + " rows",
                   GTR_PRECISION_F32,
                   2.5 * static_cast<double>(rows) * width * std::log2(width),
                   runner.has_card_cases() ? 4.0 * static_cast<double>(rows) * width : 0,
                   "rows=" + std::to_string(rows) + " width=" + std::to_string(model.width)};
      if (!runner.wants(c)) {
        continue;
      }
      const Matrix z(runner, rows, model.width);
      const Matrix scores(runner, 1, rows);
      const gtr_tensor score = scores.vector();
      int64_t scratch_size = 0;
      check(gtr_frequency_energy_scratch_size(runner.device(), rows, model.width, &scratch_size));
      const Scratch scratch(runner, scratch_size);
      runner.measure(c, [&](int64_t) {
        check(gtr_frequency_energy(runner.stream(), &z.tensor(), &score, scratch.data(), scratch.size()));
      });
    }
  }
}

}  // namespace gtr::bench
