#include "reference/layer_norm.h"

#include <cmath>
#include <limits>
#include <optional>

#include "fixtures/row_invariance.h"
#include "harness/case.h"

namespace gtr::test {
namespace {

constexpr int kAbsent = -1;

struct Problem {
  int64_t rows = 3;
  int64_t width = 37;
  bool has_weight = false;
  bool has_bias = false;
  int modulation = kAbsent;     // dtype of scale and shift
  bool one_modulation = false;  // row stride 0
  gtr_dtype y = GTR_F32;
  bool in_place = false;
  int64_t padding = 0;
  double epsilon = 1e-6;
  double offset = 0;  // added to every x
};

std::string name_of(const Problem& p) {
  std::string name = describe(p.rows, "x", p.width);
  if (p.has_weight) name += " weight";
  if (p.has_bias) name += " bias";
  if (p.modulation == GTR_F32) name += " modulated f32";
  if (p.modulation == GTR_BF16) name += " modulated bf16";
  if (p.one_modulation) name += " broadcast";
  name += p.y == GTR_BF16 ? " y bf16" : " y f32";
  if (p.in_place) name += " in place";
  if (p.padding) name += describe(" padding", p.padding);
  if (p.epsilon != 1e-6) name += describe(" epsilon", p.epsilon);
  if (p.offset != 0) name += describe(" offset", p.offset);
  return name;
}

// The normalised value is at most sqrt(width), typically below 2; mean, difference, root, and up to four more
// operations round it. A mean far from 0 costs more: x - mean is exact to about epsilon |mean| only, which is divided
// by the deviation, 0.58 here; the mean itself errs by a few epsilon |mean|. A one-pass variance would be off by mean^2
// epsilon and fail.
Tolerance tolerance_of(const Problem& p) {
  Tolerance tolerance{(32 + 8 * std::fabs(p.offset) / 0.58) * kFloatEpsilon, 16 * kFloatEpsilon};
  return p.y == GTR_BF16 ? tolerance.stored_as_bfloat16() : tolerance;
}

void run_problem(Trial& trial, const Problem& p) {
  const auto rows_of = [&](int64_t times) { return std::vector<int64_t>{p.width + p.padding * times, 1}; };
  const std::vector<int64_t> shape{p.rows, p.width};
  Tensor y(trial, "y", p.in_place ? Role::kInOut : Role::kOutput, p.y, shape, rows_of(4));
  std::optional<Tensor> separate;
  if (!p.in_place) separate.emplace(trial, "x", Role::kInput, GTR_F32, shape, rows_of(1));
  Tensor& x = p.in_place ? y : *separate;
  x.fill([&](int64_t) { return trial.random().uniform(-1, 1) + p.offset; });
  std::optional<Tensor> weight;
  std::optional<Tensor> bias;
  std::optional<Tensor> scale;
  std::optional<Tensor> shift;
  if (p.has_weight) weight.emplace(trial, "weight", Role::kInput, GTR_F32, std::vector<int64_t>{p.width});
  if (p.has_bias) bias.emplace(trial, "bias", Role::kInput, GTR_F32, std::vector<int64_t>{p.width});
  if (p.modulation != kAbsent) {
    const std::vector<int64_t> one{0, 1};
    const auto dtype = static_cast<gtr_dtype>(p.modulation);
    scale.emplace(trial, "scale", Role::kInput, dtype, shape, p.one_modulation ? one : rows_of(2));
    shift.emplace(trial, "shift", Role::kInput, dtype, shape, p.one_modulation ? one : rows_of(3));
  }
  const auto values = [](const std::optional<Tensor>& tensor) {
    return tensor ? tensor->values() : reference::Values();
  };
  const auto view = [](const std::optional<Tensor>& tensor) { return tensor ? tensor->view() : nullptr; };
  for (auto* tensor : {&weight, &bias, &scale, &shift}) {
    if (*tensor) (*tensor)->fill_uniform(-1, 1);
  }
  const reference::Values expected =
      reference::layer_norm(x.values(), p.width, p.epsilon, values(weight), values(bias), values(scale), values(shift));
  trial.run("gtr_layer_norm", [&] {
    return gtr_layer_norm(trial.target().stream(), x.view(), view(weight), view(bias), view(scale), view(shift),
                          p.epsilon, y.view());
  });
  trial.compare(y, expected, tolerance_of(p));
}

// A row of equal values has variance 0: n(x) is 0, not NaN, and epsilon alone decides how rounding is amplified.
void run_constant_row(Trial& trial) {
  constexpr int64_t kWidth = 50;
  Tensor x(trial, "x", Role::kInput, GTR_F32, {4, kWidth});
  Tensor bias(trial, "bias", Role::kInput, GTR_F32, {kWidth});
  Tensor y(trial, "y", Role::kOutput, GTR_F32, {4, kWidth});
  constexpr double kRows[] = {0, 1, -256, 1e-30};
  x.fill([&](int64_t i) { return kRows[i / kWidth]; });
  bias.fill_uniform(-1, 1);
  trial.run("gtr_layer_norm", [&] {
    return gtr_layer_norm(trial.target().stream(), x.view(), nullptr, bias.view(), nullptr, nullptr, 1e-6, y.view());
  });
  reference::Values expected;
  for (int row = 0; row < 4; ++row) {
    for (int64_t i = 0; i < kWidth; ++i) expected.push_back(bias.get(i));
  }
  // Powers of two and their sums are exact; the mean of 1e-30 may err by an epsilon of it, which 1 / sqrt(1e-6) leaves
  // at nothing.
  trial.compare(y, expected, {1e-25, kFloatEpsilon});
}

void run_nan_row(Trial& trial) {
  constexpr int64_t kWidth = 21;
  Tensor x(trial, "x", Role::kInput, GTR_F32, {5, kWidth});
  Tensor y(trial, "y", Role::kOutput, GTR_F32, {5, kWidth});
  x.fill_uniform(-1, 1);
  x.set(2 * kWidth + 20, std::numeric_limits<double>::quiet_NaN());
  trial.run("gtr_layer_norm", [&] {
    return gtr_layer_norm(trial.target().stream(), x.view(), nullptr, nullptr, nullptr, nullptr, 1e-6, y.view());
  });
  reference::Values expected = reference::layer_norm(x.values(), kWidth, 1e-6, {}, {}, {}, {});
  reference::Values got = y.values();
  for (int64_t i = 2 * kWidth; i < 3 * kWidth; ++i) {
    const auto at = static_cast<size_t>(i);
    if (!std::isnan(got[at])) trial.fail("a NaN in x is gone in y at %lld", static_cast<long long>(i));
    got[at] = expected[at] = 0;
  }
  trial.compare("y of the other rows", got, expected, tolerance_of(Problem()));
}

void run_invariance(Trial& trial, int64_t width, gtr_dtype modulation) {
  constexpr int64_t kRows = 512;
  Tensor all(trial, "all", Role::kHost, GTR_F32, {kRows, width});
  Tensor scales(trial, "scales", Role::kHost, modulation, {kRows, width});
  all.fill_uniform(-1, 1);
  scales.fill_uniform(-1, 1);
  check_row_invariance(trial, kRows, [&](Target& target, const std::vector<int64_t>& rows) {
    const auto count = static_cast<int64_t>(rows.size());
    Tensor x(trial, "x", Role::kInput, GTR_F32, {count, width});
    Tensor scale(trial, "scale", Role::kInput, modulation, {count, width});
    Tensor shift(trial, "shift", Role::kInput, modulation, {count, width});
    Tensor y(trial, "y", Role::kOutput, GTR_F32, {count, width});
    const auto from = [&](int64_t i) { return rows[static_cast<size_t>(i / width)] * width + i % width; };
    x.fill([&](int64_t i) { return all.get(from(i)); });
    scale.fill([&](int64_t i) { return scales.get(from(i)); });
    shift.fill([&](int64_t i) { return -scales.get(from(i)); });
    trial.run(target.stream(), "gtr_layer_norm", [&] {
      return gtr_layer_norm(target.stream(), x.view(), nullptr, nullptr, scale.view(), shift.view(), 1e-6, y.view());
    });
    return y.values();
  });
}

}  // namespace

void add_layer_norm_cases(CaseList& cases) {
  const auto add = [&](const Problem& p) { cases.add(name_of(p), [p](Trial& trial) { run_problem(trial, p); }); };
  for (const int64_t width : {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 100, 192, 768, 1024, 1280, 1536, 4099}) {
    for (const int64_t rows : {0, 1, 5}) {
      Problem p;
      p.rows = rows;
      p.width = width;
      p.has_weight = p.has_bias = width % 2 != 0;
      p.padding = rows % 3;
      add(p);
    }
  }
  for (const bool has_weight : {false, true}) {
    for (const bool has_bias : {false, true}) {
      for (const int modulation : {kAbsent, static_cast<int>(GTR_F32), static_cast<int>(GTR_BF16)}) {
        for (const bool one_modulation : {false, true}) {
          if (one_modulation && modulation == kAbsent) continue;
          for (const int storage : {0, 1, 2}) {
            Problem p;
            p.has_weight = has_weight;
            p.has_bias = has_bias;
            p.modulation = modulation;
            p.one_modulation = one_modulation;
            p.y = storage == 1 ? GTR_BF16 : GTR_F32;
            p.in_place = storage == 2;
            p.padding = has_bias ? 5 : 0;
            add(p);
          }
        }
      }
    }
  }
  for (const double offset : {30.0, -1000.0}) {
    Problem p;
    p.width = 768;
    p.offset = offset;
    add(p);
  }
  for (const double epsilon : {1e-12, 1e-2, 10.0}) {
    Problem p;
    p.width = 70;
    p.rows = 33;
    p.epsilon = epsilon;
    add(p);
  }
  cases.add("constant rows", run_constant_row);
  cases.add("NaN row", run_nan_row);
  cases.add_once("row invariance", [](Trial& trial) { run_invariance(trial, 193, GTR_F32); });
  cases.add_once("row invariance, modulation bf16", [](Trial& trial) { run_invariance(trial, 64, GTR_BF16); });
}

}  // namespace gtr::test
