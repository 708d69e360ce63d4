#include <limits>

#include "harness/case.h"

namespace gtr::test {
namespace {

void run_problem(Trial& trial, gtr_dtype dtype, int64_t rows, int64_t width, int64_t padding) {
  constexpr int64_t kSource = 11;
  Tensor x(trial, "x", Role::kInput, dtype, {kSource, width}, {width + padding, 1});
  Tensor index(trial, "index", Role::kInput, GTR_I32, {rows});
  Tensor y(trial, "y", Role::kOutput, dtype, {rows, width}, {width + 2 * padding, 1});
  x.fill_uniform(-1, 1);
  x.set(0, std::numeric_limits<double>::infinity());
  index.fill_integers(0, kSource - 1);
  trial.run("gtr_gather", [&] { return gtr_gather(trial.target().stream(), x.view(), index.view(), y.view()); });
  std::vector<double> expected;
  for (int64_t i = 0; i < rows * width; ++i) {
    expected.push_back(x.get(static_cast<int64_t>(index.get(i / width)) * width + i % width));
  }
  trial.compare_bits("y", y.values(), expected);
}

}  // namespace

void add_gather_cases(CaseList& cases) {
  for (const gtr_dtype dtype : {GTR_F32, GTR_BF16}) {
    for (const int64_t rows : {0, 1, 9, 200}) {
      for (const int64_t width : {1, 5, 16, 33, 768}) {
        for (const int64_t padding : {0, 3}) {
          cases.add(describe(dtype == GTR_F32 ? "f32" : "bf16", rows, "x", width, "padding", padding),
                    [=](Trial& trial) { run_problem(trial, dtype, rows, width, padding); });
        }
      }
    }
  }
}

}  // namespace gtr::test
