// Frequency energy of the tokens of the last decode step of MAR-B, L and H. A transform of D real numbers is counted as
// 5/2 D log2 D operations, the convention of FFT benchmarks.
#include <cmath>
#include <string>

#include "matrix.h"
#include "models.h"
#include "runner.h"

namespace gtr::bench {

void bench_frequency_energy(Runner& runner) {
  for (const Model& model : kModels) {
    for (const int64_t images : {1, 8}) {
      const int64_t rows = images * kTokens / 2;
      const auto width = static_cast<double>(model.width);
      const Case c{"frequency energy", std::string(model.name) + ", " + std::to_string(rows) + " rows",
                   GTR_PRECISION_F32, 2.5 * static_cast<double>(rows) * width * std::log2(width), 0};
      if (!runner.wants(c)) {
        continue;
      }
      const Matrix z(runner.device(), rows, model.width);
      const Matrix scores(runner.device(), 1, rows);
      gtr_tensor score = scores.tensor();
      score.rank = 1;
      score.shape[0] = rows;
      score.stride[0] = 1;
      int64_t scratch_size = 0;
      check(gtr_frequency_energy_scratch_size(runner.device(), rows, model.width, &scratch_size));
      const Matrix scratch(runner.device(), 1, scratch_size / 4 + 1);
      runner.measure(c, [&](int64_t) {
        check(gtr_frequency_energy(runner.stream(), &z.tensor(), &score, scratch.tensor().data, scratch.tensor().size));
      });
    }
  }
}

}  // namespace gtr::bench
