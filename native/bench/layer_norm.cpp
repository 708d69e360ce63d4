// layer norm over the decoder's rows of MAR-B, L and H. What counts is memory: x is read once and y written once.
#include <string>

#include "matrix.h"
#include "models.h"
#include "runner.h"

namespace gtr::bench {

void bench_layer_norm(Runner& runner) {
  for (const Model& model : kModels) {
    for (const int64_t images : {1, 8}) {
      const int64_t rows = 2 * images * (kBuffer + kTokens);
      const Case c{"layer norm", std::string(model.name) + ", " + std::to_string(rows) + " rows", GTR_PRECISION_F32, 0,
                   8.0 * static_cast<double>(rows * model.width)};
      if (!runner.wants(c)) {
        continue;
      }
      const Matrix x(runner.device(), rows, model.width);
      const Matrix y(runner.device(), rows, model.width);
      const Matrix affine(runner.device(), 1, model.width);
      gtr_tensor weight = affine.tensor();
      weight.rank = 1;
      weight.shape[0] = model.width;
      weight.stride[0] = 1;
      runner.measure(c, [&](int64_t) {
        check(gtr_layer_norm(runner.stream(), &x.tensor(), &weight, &weight, nullptr, nullptr, 1e-6, &y.tensor()));
      });
    }
  }
}

}  // namespace gtr::bench
