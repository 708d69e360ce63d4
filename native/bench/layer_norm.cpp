// layer norm over the decoder's rows of MAR-B, L and H. What counts is memory: x is read once and y written once.
#include <string>
#include <vector>

#include "matrix.h"
#include "models.h"
#include "runner.h"

namespace gtr::bench {
namespace {

// y_dtype: a card's list has it as the model does, where the norm's output is the input of a product.
void bench_rows(Runner& runner, const Model& model, int64_t rows, gtr_dtype y_dtype) {
  const bool f32 = y_dtype == GTR_F32;
  const Case c{"layer norm",
               std::string(model.name) + ", " + std::to_string(rows) + " rows",
               f32 ? GTR_PRECISION_F32 : GTR_PRECISION_BF16,
               0,
               (f32 ? 8.0 : 6.0) * static_cast<double>(rows * model.width),
               "rows=" + std::to_string(rows) + " width=" + std::to_string(model.width)};
  if (!runner.wants(c)) {
    return;
  }
  const Matrix x(runner, rows, model.width);
  const Matrix y(runner, rows, model.width, y_dtype);
  const Matrix affine(runner, 1, model.width);
  const gtr_tensor weight = affine.vector();
  runner.measure(c, [&](int64_t) {
    check(gtr_layer_norm(runner.stream(), &x.tensor(), &weight, &weight, nullptr, nullptr, 1e-6, &y.tensor()));
  });
}

}  // namespace

void bench_layer_norm(Runner& runner) {
  const bool card = runner.has_card_cases();
  const std::vector<int64_t> images = runner.is_small() ? std::vector<int64_t>{1}
                                      : card            ? std::vector<int64_t>{1, 32}
                                                        : std::vector<int64_t>{1, 8};
  for (const Model& model : runner.models()) {
    for (const int64_t n : images) {
      bench_rows(runner, model, 2 * n * model.places(), GTR_F32);
      if (card) {
        bench_rows(runner, model, 2 * n * model.places(), GTR_BF16);
      }
    }
  }
}

}  // namespace gtr::bench
