#include <algorithm>
#include <numeric>

#include "harness/case.h"

namespace gtr::test {
namespace {

void run_problem(Trial& trial, gtr_dtype dtype, int64_t rows, int64_t width, int64_t padding) {
  const int64_t targets = rows + 5;
  std::vector<int64_t> places(static_cast<size_t>(targets));
  std::iota(places.begin(), places.end(), 0);
  for (size_t i = places.size(); i > 1; --i) {
    std::swap(places[i - 1], places[static_cast<size_t>(trial.random().integer(0, static_cast<int64_t>(i) - 1))]);
  }
  Tensor x(trial, "x", Role::kInput, dtype, {rows, width}, {width + padding, 1});
  Tensor index(trial, "index", Role::kInput, GTR_I32, {rows});
  Tensor y(trial, "y", Role::kInOut, dtype, {targets, width}, {width + 2 * padding, 1});
  x.fill_uniform(-1, 1);
  y.fill_uniform(-1, 1);
  index.fill([&](int64_t i) { return static_cast<double>(places[static_cast<size_t>(i)]); });
  std::vector<double> expected = y.values();
  for (int64_t i = 0; i < rows * width; ++i) {
    expected[static_cast<size_t>(places[static_cast<size_t>(i / width)] * width + i % width)] = x.get(i);
  }
  for (int64_t other = rows; other < targets; ++other) {
    for (int64_t column = 0; column < width; ++column) {
      y.leave_alone(places[static_cast<size_t>(other)] * width + column);
    }
  }
  trial.run("gtr_scatter", [&] { return gtr_scatter(trial.target().stream(), x.view(), index.view(), y.view()); });
  trial.compare_bits("y", y.values(), expected);
}

// The CPU backend lets the last of equal indices win.
void run_repeated_index(Trial& trial) {
  if (!trial.target().is_cpu()) return;
  Tensor x(trial, "x", Role::kInput, GTR_F32, {64, 3});
  Tensor index(trial, "index", Role::kInput, GTR_I32, {64});
  Tensor y(trial, "y", Role::kInOut, GTR_F32, {2, 3});
  x.fill_uniform(-1, 1);
  y.fill_uniform(-1, 1);
  index.fill([](int64_t i) { return static_cast<double>(i % 2); });
  trial.run("gtr_scatter", [&] { return gtr_scatter(trial.target().stream(), x.view(), index.view(), y.view()); });
  const std::vector<double> values = x.values();
  trial.compare_bits("y", y.values(), {values.end() - 6, values.end()});
}

}  // namespace

void add_scatter_cases(CaseList& cases) {
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
  cases.add("repeated index", run_repeated_index);
}

}  // namespace gtr::test
