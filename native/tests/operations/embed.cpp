#include <optional>

#include "harness/case.h"

namespace gtr::test {
namespace {

struct Problem {
  int64_t rows;
  int64_t width;
  bool has_second;
  bool has_position;
  int64_t padding;
};

void run_problem(Trial& trial, const Problem& p) {
  constexpr int64_t kFirst = 6;
  constexpr int64_t kSecond = 4;
  constexpr int64_t kPositions = 9;
  const auto rows_of = [&](int64_t times) { return std::vector<int64_t>{p.width + p.padding * times, 1}; };
  Tensor first(trial, "first", Role::kInput, GTR_F32, {kFirst, p.width}, rows_of(1));
  std::optional<Tensor> second;
  std::optional<Tensor> position;
  std::optional<Tensor> position_index;
  Tensor index(trial, "index", Role::kInput, GTR_I32, {p.rows});
  Tensor y(trial, "y", Role::kOutput, GTR_F32, {p.rows, p.width}, rows_of(4));
  first.fill_uniform(-1, 1);
  index.fill_integers(p.has_second ? -kSecond : 0, kFirst - 1);
  if (p.has_second) {
    second.emplace(trial, "second", Role::kInput, GTR_F32, std::vector<int64_t>{kSecond, p.width}, rows_of(2));
    second->fill_uniform(-1, 1);
  }
  if (p.has_position) {
    position.emplace(trial, "position", Role::kInput, GTR_F32, std::vector<int64_t>{kPositions, p.width}, rows_of(3));
    position->fill_uniform(-1, 1);
    position_index.emplace(trial, "position_index", Role::kInput, GTR_I32, std::vector<int64_t>{p.rows});
    position_index->fill_integers(0, kPositions - 1);
  }
  const auto view = [](const std::optional<Tensor>& tensor) { return tensor ? tensor->view() : nullptr; };
  trial.run("gtr_embed", [&] {
    return gtr_embed(trial.target().stream(), first.view(), view(second), index.view(), view(position),
                     view(position_index), y.view());
  });
  std::vector<double> expected;
  for (int64_t row = 0; row < p.rows; ++row) {
    const auto i = static_cast<int64_t>(index.get(row));
    for (int64_t column = 0; column < p.width; ++column) {
      double value = i >= 0 ? first.get(i * p.width + column) : second->get((-1 - i) * p.width + column);
      if (position) value += position->get(static_cast<int64_t>(position_index->get(row)) * p.width + column);
      // One float addition: the double sum of two floats, rounded.
      expected.push_back(static_cast<double>(static_cast<float>(value)));
    }
  }
  trial.compare(y, expected, kExact);
}

}  // namespace

void add_embed_cases(CaseList& cases) {
  for (const int64_t rows : {0, 1, 7, 130}) {
    for (const int64_t width : {1, 3, 16, 31, 64, 100, 769}) {
      for (const bool has_second : {false, true}) {
        for (const bool has_position : {false, true}) {
          const Problem p{rows, width, has_second, has_position, has_position == has_second ? 0 : width % 5};
          cases.add(describe(rows, "x", width, has_second ? "second" : "", has_position ? "position" : "", "padding",
                             p.padding),
                    [p](Trial& trial) { run_problem(trial, p); });
        }
      }
    }
  }
}

}  // namespace gtr::test
