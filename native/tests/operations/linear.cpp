#include "reference/linear.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>

#include "fixtures/row_invariance.h"
#include "fixtures/weights.h"
#include "harness/bfloat16.h"
#include "harness/case.h"

namespace gtr::test {
namespace {

constexpr int kAbsent = -1;

enum class Residual { kNone, kSeparate, kInPlace };

struct Problem {
  int64_t rows = 5;
  int64_t inputs = 19;
  int64_t outputs = 33;
  gtr_precision precision = GTR_PRECISION_F32;
  gtr_activation activation = GTR_ACTIVATION_NONE;
  gtr_dtype x = GTR_F32;
  gtr_dtype y = GTR_F32;
  int gate = kAbsent;  // or a gtr_dtype
  Residual residual = Residual::kNone;
  bool has_bias = true;
  gtr_dtype weight = GTR_F32;
  int64_t padding = 0;  // elements between rows, of every matrix another multiple of it
  bool integers = false;
};

const char* dtype_name(int dtype) {
  return dtype == GTR_F32 ? "f32" : dtype == GTR_BF16 ? "bf16" : dtype == GTR_F16 ? "f16" : "none";
}

std::string name_of(const Problem& p) {
  static const char* const kActivations[] = {"none", "gelu", "silu"};
  static const char* const kResiduals[] = {"none", "separate", "in place"};
  std::string name =
      describe(p.precision == GTR_PRECISION_BF16 ? "bf16" : "f32", p.rows, "x", p.inputs, "to", p.outputs,
               kActivations[p.activation], "x", dtype_name(p.x), "y", dtype_name(p.y), "gate", dtype_name(p.gate),
               "residual", kResiduals[static_cast<int>(p.residual)], "weight", dtype_name(p.weight));
  if (!p.has_bias) name += " no bias";
  if (p.padding) name += describe(" padding", p.padding);
  if (p.integers) name += " integers";
  return name;
}

Tolerance tolerance_of(const Problem& p) {
  // Integers this small, and all their partial sums, are exact in float and in bfloat16.
  if (p.integers) return kExact;
  Tolerance tolerance = sum_of_products(p.inputs);
  // A float erf or exp errs by a few units in the last place of its own result, which is at most 2: relative to a GELU
  // near zero on the negative side that is much, so it is granted absolutely.
  if (p.activation != GTR_ACTIVATION_NONE) tolerance = {tolerance.atol * 1.2 + 5e-7, tolerance.rtol + 1e-6};
  return p.y == GTR_BF16 ? tolerance.stored_as_bfloat16() : tolerance;
}

void run_problem(Trial& trial, const Problem& p) {
  const auto fill = [&](Tensor& tensor, double bound) {
    if (p.integers) {
      tensor.fill_integers(-4, 4);
    } else {
      tensor.fill_uniform(-bound, bound);
    }
  };
  const auto rows_of = [&](int64_t width, int64_t times) { return std::vector<int64_t>{width + p.padding * times, 1}; };
  const double spread = std::sqrt(3.0 / static_cast<double>(p.inputs));
  Tensor weight(trial, "weight", Role::kHost, p.weight, {p.outputs, p.inputs}, rows_of(p.inputs, 5));
  Tensor bias(trial, "bias", Role::kHost, p.weight, {p.outputs});
  Tensor x(trial, "x", Role::kInput, p.x, {p.rows, p.inputs}, rows_of(p.inputs, 1));
  fill(weight, spread);
  fill(bias, 1);
  fill(x, 1);
  std::optional<Tensor> gate;
  std::optional<Tensor> residual;
  if (p.gate != kAbsent) {
    gate.emplace(trial, "gate", Role::kInput, static_cast<gtr_dtype>(p.gate), std::vector<int64_t>{p.rows, p.outputs},
                 rows_of(p.outputs, 2));
    fill(*gate, 1);
  }
  if (p.residual == Residual::kSeparate) {
    residual.emplace(trial, "residual", Role::kInput, GTR_F32, std::vector<int64_t>{p.rows, p.outputs},
                     rows_of(p.outputs, 3));
    fill(*residual, 1);
  }
  const bool in_place = p.residual == Residual::kInPlace;
  Tensor y(trial, "y", in_place ? Role::kInOut : Role::kOutput, p.y, {p.rows, p.outputs}, rows_of(p.outputs, 4));
  reference::Values residual_values;
  if (in_place) fill(y, 1);
  if (in_place || residual) residual_values = in_place ? y.values() : residual->values();

  const LinearHandle linear = make_linear(trial.target(), weight, p.has_bias ? &bias : nullptr, p.precision);
  int64_t bytes = -1;
  require_ok(gtr_linear_scratch_size(linear.get(), p.rows, &bytes), "gtr_linear_scratch_size");
  Scratch scratch(trial, bytes);
  trial.run("gtr_linear", [&] {
    return gtr_linear(trial.target().stream(), linear.get(), p.activation, x.view(), gate ? gate->view() : nullptr,
                      in_place   ? y.view()
                      : residual ? residual->view()
                                 : nullptr,
                      y.view(), scratch.data(), scratch.size());
  });
  trial.compare(y,
                reference::linear(x.values(), weight.values(), p.has_bias ? bias.values() : reference::Values(),
                                  p.inputs, p.outputs, p.precision, p.activation,
                                  gate ? gate->values() : reference::Values(), residual_values),
                tolerance_of(p));
}

// Every combination of epilogue and storage.
void add_epilogues(CaseList& cases) {
  for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
    for (const gtr_activation activation : {GTR_ACTIVATION_NONE, GTR_ACTIVATION_GELU, GTR_ACTIVATION_SILU}) {
      for (const int gate : {kAbsent, static_cast<int>(GTR_F32), static_cast<int>(GTR_BF16)}) {
        for (const Residual residual : {Residual::kNone, Residual::kSeparate, Residual::kInPlace}) {
          for (const gtr_dtype x : {GTR_F32, GTR_BF16}) {
            for (const gtr_dtype y : {GTR_F32, GTR_BF16}) {
              if (x == GTR_BF16 && precision == GTR_PRECISION_F32) continue;
              if (y == GTR_BF16 && residual == Residual::kInPlace) continue;  // a residual is f32
              Problem p;
              p.precision = precision;
              p.activation = activation;
              p.gate = gate;
              p.residual = residual;
              p.x = x;
              p.y = y;
              cases.add(name_of(p), [p](Trial& trial) { run_problem(trial, p); });
            }
          }
        }
      }
    }
  }
}

// Every count of rows that a micro-kernel may treat in its own way, with the epilogues in rotation.
void add_row_counts(CaseList& cases) {
  std::vector<int64_t> counts{0, 64, 65, 129};
  for (int64_t rows = 1; rows <= 20; ++rows) counts.push_back(rows);
  for (const int64_t rows : counts) {
    for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
      Problem p;
      p.rows = rows;
      p.inputs = 37;
      p.outputs = 83;
      p.precision = precision;
      p.activation = static_cast<gtr_activation>(rows % 3);
      p.gate = rows % 4 == 1 ? GTR_F32 : rows % 4 == 2 ? static_cast<int>(GTR_BF16) : kAbsent;
      p.residual = static_cast<Residual>(rows % 5 % 3);
      p.padding = rows % 3;
      cases.add(name_of(p), [p](Trial& trial) { run_problem(trial, p); });
    }
  }
}

// Widths around the sizes of vectors and of packed panels; integers show a product in the wrong place exactly.
void add_widths(CaseList& cases) {
  constexpr int64_t kWidths[] = {1,  2,  3,  5,  8,  15, 16,  17,  31,  33,  47, 48,
                                 49, 63, 64, 65, 96, 97, 127, 129, 255, 257, 513};
  for (size_t i = 0; i < std::size(kWidths); ++i) {
    for (const size_t step : {1, 6, 11}) {
      for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
        Problem p;
        p.rows = 1 + static_cast<int64_t>(i % 13);
        p.inputs = kWidths[i];
        p.outputs = kWidths[(i * step + step) % std::size(kWidths)];
        p.precision = precision;
        p.integers = step != 6;
        p.has_bias = step != 11;
        p.padding = static_cast<int64_t>(i % 2);
        cases.add(name_of(p), [p](Trial& trial) { run_problem(trial, p); });
      }
    }
  }
}

void add_weight_dtypes(CaseList& cases) {
  for (const gtr_dtype weight : {GTR_F16, GTR_BF16}) {
    for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
      for (const int64_t padding : {0, 3}) {
        Problem p;
        p.weight = weight;
        p.precision = precision;
        p.inputs = 71;
        p.outputs = 50;
        p.padding = padding;
        cases.add(name_of(p), [p](Trial& trial) { run_problem(trial, p); });
      }
    }
  }
}

// Layers of MAR-B, MAR-L and MAR-H, and tall products.
void add_model_shapes(CaseList& cases) {
  struct Layer {
    int64_t rows, inputs, outputs;
    gtr_activation activation;
  };
  constexpr Layer kLayers[] = {{3, 768, 2304, GTR_ACTIVATION_NONE},
                               {33, 3072, 768, GTR_ACTIVATION_NONE},
                               {2, 1024, 4096, GTR_ACTIVATION_GELU},
                               {17, 1280, 1280, GTR_ACTIVATION_SILU},
                               {2, 5120, 1280, GTR_ACTIVATION_NONE},
                               {5, 1536, 4608, GTR_ACTIVATION_NONE},
                               {65, 1536, 1536, GTR_ACTIVATION_SILU},
                               {1, 4608, 1536, GTR_ACTIVATION_NONE},
                               // On the emulator's four multiprocessors, the tiles of linear_hopper.cu that few rows or
                               // inputs do not take.
                               {380, 512, 1150, GTR_ACTIVATION_GELU},
                               {130, 64, 600, GTR_ACTIVATION_NONE},
                               {569, 128, 127, GTR_ACTIVATION_NONE},
                               {389, 64, 96, GTR_ACTIVATION_NONE}};
  for (const Layer& layer : kLayers) {
    for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
      Problem p;
      p.rows = layer.rows;
      p.inputs = layer.inputs;
      p.outputs = layer.outputs;
      p.activation = layer.activation;
      p.precision = precision;
      cases.add_once(name_of(p), [p](Trial& trial) { run_problem(trial, p); });
    }
  }
}

// Counts of rows, inputs and outputs at which a GPU kernel gives way to another, a tile begins or a part of the sum
// ends, and x as it lies in memory may or may not be read in place. Integers show a product in the wrong place exactly.
void add_borders(CaseList& cases) {
  constexpr int64_t kRows[] = {4, 8, 9, 16, 17, 31, 32, 33, 48, 63, 96, 127, 128, 130, 193, 40, 49, 64};
  constexpr int64_t kInputs[] = {32, 64, 40, 96, 128, 63, 160, 65, 256, 8, 288, 72, 36, 320, 1, 544, 200, 96};
  constexpr int64_t kOutputs[] = {8, 7, 130, 9, 64, 36, 127, 65, 16, 257, 12, 129, 32, 40, 68, 40, 64, 24};
  for (size_t i = 0; i < std::size(kRows); ++i) {
    for (const gtr_dtype x : {GTR_F32, GTR_BF16}) {
      for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
        if (x == GTR_BF16 && precision == GTR_PRECISION_F32) continue;
        Problem p;
        p.rows = kRows[i];
        p.inputs = kInputs[i];
        p.outputs = kOutputs[i];
        p.precision = precision;
        p.x = x;
        p.y = i % 3 == 1 ? GTR_BF16 : GTR_F32;
        p.gate = i % 2 == 0 ? static_cast<int>(GTR_BF16) : kAbsent;
        p.residual = p.y == GTR_F32 && i % 4 == 0 ? Residual::kInPlace : Residual::kNone;
        p.padding = i % 5 == 4 ? 3 : i % 5 == 2 ? 32 : 0;
        p.integers = p.y == GTR_F32;
        cases.add_once(name_of(p), [p](Trial& trial) { run_problem(trial, p); });
      }
    }
  }
}

// Enough inputs that a CPU kernel finishes one tile while it multiplies the next: every height of tile, the panel that
// the matrix ends in, and rows so far apart that they share the sets of a cache, which may keep x from being read in
// place.
void add_long_sums(CaseList& cases) {
  constexpr int64_t kRows[] = {5, 7, 8, 9, 10, 11, 12, 13, 17, 20, 23, 25, 34, 47, 58, 71};
  size_t i = 0;
  for (const int64_t rows : kRows) {
    for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
      for (const gtr_dtype y : {GTR_F32, GTR_BF16}) {
        Problem p;
        p.rows = rows;
        p.inputs = i % 3 == 0 ? 544 : i % 3 == 1 ? 770 : 641;
        p.outputs = i % 2 == 0 ? 160 : 101;
        p.precision = precision;
        p.x = precision == GTR_PRECISION_BF16 && i % 4 != 3 ? GTR_BF16 : GTR_F32;
        p.y = y;
        p.activation = static_cast<gtr_activation>(i % 3);
        p.gate = i % 5 == 1 ? GTR_F32 : i % 5 == 2 ? static_cast<int>(GTR_BF16) : kAbsent;
        p.residual = static_cast<Residual>(i % 7 % 3);
        if (p.residual == Residual::kInPlace && y == GTR_BF16) p.residual = Residual::kSeparate;
        if (i % 4 == 2) p.padding = (p.x == GTR_BF16 ? 2048 : 1024) - p.inputs;
        cases.add_once(name_of(p), [p](Trial& trial) { run_problem(trial, p); });
        ++i;
      }
    }
  }
}

// y = activation(bias) over the whole range of float: weights are zero.
void run_activation_range(Trial& trial, gtr_activation activation, gtr_dtype stored) {
  std::vector<double> points{0, -0.0, 1e-38, -1e-38, 1e-45, 1e30, -1e30, 3e38, -3e38};
  for (double point = -200; point <= 200; point += 0.37) points.push_back(point);
  for (double point = -8; point <= 8; point += 0.011) points.push_back(point);
  const auto outputs = static_cast<int64_t>(points.size());
  Tensor weight(trial, "weight", Role::kHost, GTR_F32, {outputs, 1});
  Tensor bias(trial, "bias", Role::kHost, GTR_F32, {outputs});
  Tensor x(trial, "x", Role::kInput, GTR_F32, {2, 1});
  Tensor y(trial, "y", Role::kOutput, stored, {2, outputs});
  weight.fill([](int64_t) { return 0; });
  bias.fill([&](int64_t i) { return points[static_cast<size_t>(i)]; });
  x.fill_uniform(-1, 1);
  const LinearHandle linear = make_linear(trial.target(), weight, &bias, GTR_PRECISION_F32);
  int64_t bytes = -1;
  require_ok(gtr_linear_scratch_size(linear.get(), 2, &bytes), "gtr_linear_scratch_size");
  Scratch scratch(trial, bytes);
  trial.run("gtr_linear", [&] {
    return gtr_linear(trial.target().stream(), linear.get(), activation, x.view(), nullptr, nullptr, y.view(),
                      scratch.data(), scratch.size());
  });
  reference::Values expected;
  for (int row = 0; row < 2; ++row) {
    for (int64_t i = 0; i < outputs; ++i) expected.push_back(reference::activate(activation, bias.get(i)));
  }
  // To be rounded to bfloat16, an activation need not be more exact than 2^-15.
  trial.compare(y, expected,
                stored == GTR_BF16 ? Tolerance{5e-7, 0x1p-15}.stored_as_bfloat16() : Tolerance{5e-7, 1e-6});
}

// What bfloat16 storage and inputs do to single values: rounded to nearest even, ties and overflow included. Products
// with 1 are exact, so the expected bits are known.
void run_rounding(Trial& trial, gtr_precision precision, gtr_dtype y_dtype) {
  std::vector<double> points{1,           1 + 0x1p-8, 1 + 0x3p-8, 1 + 0x1p-9, 1 + 0x1p-8 + 0x1p-20,
                             -1 - 0x1p-8, 65280,      3.4e38,     -3.39e38,   1e-30,
                             3,           255,        257,        259,        0};
  for (int i = 0; i < 400; ++i) {
    points.push_back(std::ldexp(trial.random().uniform(-2, 2), static_cast<int>(trial.random().integer(-60, 60))));
  }
  const auto rows = static_cast<int64_t>(points.size());
  Tensor weight(trial, "weight", Role::kHost, GTR_F32, {1, 1});
  Tensor x(trial, "x", Role::kInput, GTR_F32, {rows, 1});
  Tensor y(trial, "y", Role::kOutput, y_dtype, {rows, 1});
  weight.set(0, 1);
  x.fill([&](int64_t i) { return points[static_cast<size_t>(i)]; });
  const LinearHandle linear = make_linear(trial.target(), weight, nullptr, precision);
  int64_t bytes = -1;
  require_ok(gtr_linear_scratch_size(linear.get(), rows, &bytes), "gtr_linear_scratch_size");
  Scratch scratch(trial, bytes);
  trial.run("gtr_linear", [&] {
    return gtr_linear(trial.target().stream(), linear.get(), GTR_ACTIVATION_NONE, x.view(), nullptr, nullptr, y.view(),
                      scratch.data(), scratch.size());
  });
  reference::Values expected = x.values();
  for (double& value : expected) value = round_to_bfloat16(value);
  trial.compare(y, expected, kExact);
}

// Inputs and residual with row stride 0.
void run_broadcast(Trial& trial, gtr_precision precision) {
  constexpr int64_t kRows = 9;
  Tensor weight(trial, "weight", Role::kHost, GTR_F32, {21, 30});
  Tensor x(trial, "x", Role::kInput, GTR_F32, {kRows, 30}, {0, 1});
  Tensor gate(trial, "gate", Role::kInput, GTR_BF16, {kRows, 21}, {0, 1});
  Tensor residual(trial, "residual", Role::kInput, GTR_F32, {kRows, 21}, {0, 1});
  Tensor y(trial, "y", Role::kOutput, GTR_F32, {kRows, 21});
  for (Tensor* tensor : {&weight, &x, &gate, &residual}) tensor->fill_integers(-4, 4);
  const LinearHandle linear = make_linear(trial.target(), weight, nullptr, precision);
  int64_t bytes = -1;
  require_ok(gtr_linear_scratch_size(linear.get(), kRows, &bytes), "gtr_linear_scratch_size");
  Scratch scratch(trial, bytes);
  trial.run("gtr_linear", [&] {
    return gtr_linear(trial.target().stream(), linear.get(), GTR_ACTIVATION_NONE, x.view(), gate.view(),
                      residual.view(), y.view(), scratch.data(), scratch.size());
  });
  trial.compare(y,
                reference::linear(x.values(), weight.values(), {}, 30, 21, precision, GTR_ACTIVATION_NONE,
                                  gate.values(), residual.values()),
                kExact);
}

// A checkpoint arrives in windows: rows are set in pieces, in any order, and again; rows never set are zero; a set
// without a bias leaves the bias.
void run_set_in_windows(Trial& trial, gtr_precision precision) {
  constexpr int64_t kOutputs = 77;
  constexpr int64_t kInputs = 45;
  constexpr int64_t kUnset = 70;  // rows from here on
  Tensor weight(trial, "weight", Role::kHost, GTR_F32, {kOutputs, kInputs});
  Tensor bias(trial, "bias", Role::kHost, GTR_F32, {kOutputs});
  Tensor other(trial, "other", Role::kHost, GTR_F32, {kOutputs, kInputs});
  Tensor x(trial, "x", Role::kInput, GTR_F32, {3, kInputs});
  Tensor y(trial, "y", Role::kOutput, GTR_F32, {3, kOutputs});
  for (Tensor* tensor : {&weight, &bias, &other, &x}) tensor->fill_integers(-4, 4);
  gtr_linear_weights* raw = nullptr;
  require_ok(gtr_linear_create(trial.target().device(), kOutputs, kInputs, precision, &raw), "gtr_linear_create");
  const LinearHandle linear(raw);
  const auto set = [&](const Tensor& from, int64_t first, int64_t end, bool with_bias) {
    const gtr_tensor rows = from.part(first * kInputs, {end - first, kInputs}, {kInputs, 1});
    const gtr_tensor bias_rows = bias.part(first, {end - first}, {1});
    require_ok(gtr_linear_set(raw, first, &rows, with_bias ? &bias_rows : nullptr), "gtr_linear_set");
  };
  set(weight, 33, kUnset, true);
  set(other, 0, 33, true);
  set(weight, 0, 1, false);
  set(weight, 1, 18, false);
  set(weight, 18, 33, false);
  int64_t bytes = -1;
  require_ok(gtr_linear_scratch_size(raw, 3, &bytes), "gtr_linear_scratch_size");
  Scratch scratch(trial, bytes);
  trial.run("gtr_linear", [&] {
    return gtr_linear(trial.target().stream(), raw, GTR_ACTIVATION_NONE, x.view(), nullptr, nullptr, y.view(),
                      scratch.data(), scratch.size());
  });
  reference::Values expected_weight = weight.values();
  reference::Values expected_bias = bias.values();
  std::fill(expected_weight.begin() + kUnset * kInputs, expected_weight.end(), 0);
  std::fill(expected_bias.begin() + kUnset, expected_bias.end(), 0);
  trial.compare(y, reference::linear(x.values(), expected_weight, expected_bias, kInputs, kOutputs), kExact);
}

// NaN and infinity in one row stay in it.
void run_non_finite_row(Trial& trial, gtr_precision precision) {
  constexpr int64_t kInputs = 40;
  constexpr int64_t kOutputs = 35;
  Tensor weight(trial, "weight", Role::kHost, GTR_F32, {kOutputs, kInputs});
  Tensor x(trial, "x", Role::kInput, GTR_F32, {6, kInputs});
  Tensor y(trial, "y", Role::kOutput, GTR_F32, {6, kOutputs});
  weight.fill([&](int64_t) { return static_cast<double>(trial.random().integer(1, 4)); });
  x.fill_integers(-4, 4);
  x.set(2 * kInputs + 7, std::numeric_limits<double>::quiet_NaN());
  x.set(4 * kInputs + 39, std::numeric_limits<double>::infinity());
  const LinearHandle linear = make_linear(trial.target(), weight, nullptr, precision);
  int64_t bytes = -1;
  require_ok(gtr_linear_scratch_size(linear.get(), 6, &bytes), "gtr_linear_scratch_size");
  Scratch scratch(trial, bytes);
  trial.run("gtr_linear", [&] {
    return gtr_linear(trial.target().stream(), linear.get(), GTR_ACTIVATION_NONE, x.view(), nullptr, nullptr, y.view(),
                      scratch.data(), scratch.size());
  });
  const reference::Values expected = reference::linear(x.values(), weight.values(), {}, kInputs, kOutputs);
  reference::Values got = y.values();
  reference::Values finite = expected;
  for (int64_t i = 2 * kOutputs; i < 3 * kOutputs; ++i) {
    if (!std::isnan(got[static_cast<size_t>(i)]))
      trial.fail("a NaN in x is gone in y at %lld", static_cast<long long>(i));
    got[static_cast<size_t>(i)] = finite[static_cast<size_t>(i)] = 0;
  }
  trial.compare("y of the other rows", got, finite, kExact);
}

void run_invariance(Trial& trial, gtr_precision precision, gtr_dtype x_dtype, int64_t inputs, int64_t outputs) {
  // What GTR_GEMM=cublaslt gives up, and says so.
  if (std::strstr(trial.target().info().reason, "rows may depend on their batch") != nullptr) return;
  constexpr int64_t kRows = 512;
  Tensor weight(trial, "weight", Role::kHost, GTR_F32, {outputs, inputs});
  Tensor bias(trial, "bias", Role::kHost, GTR_F32, {outputs});
  Tensor all(trial, "all", Role::kHost, x_dtype, {kRows, inputs});
  Tensor gates(trial, "gates", Role::kHost, GTR_F32, {kRows, outputs});
  for (Tensor* tensor : {&weight, &bias, &all, &gates}) tensor->fill_uniform(-1, 1);
  check_row_invariance(trial, kRows, [&](Target& target, const std::vector<int64_t>& rows) {
    const auto count = static_cast<int64_t>(rows.size());
    const LinearHandle linear = make_linear(target, weight, &bias, precision);
    Tensor x(trial, "x", Role::kInput, x_dtype, {count, inputs});
    Tensor gate(trial, "gate", Role::kInput, GTR_F32, {count, outputs});
    Tensor y(trial, "y", Role::kOutput, GTR_F32, {count, outputs});
    const auto row_of = [&](int64_t i, int64_t width) {
      return rows[static_cast<size_t>(i / width)] * width + i % width;
    };
    x.fill([&](int64_t i) { return all.get(row_of(i, inputs)); });
    gate.fill([&](int64_t i) { return gates.get(row_of(i, outputs)); });
    int64_t bytes = -1;
    require_ok(gtr_linear_scratch_size(linear.get(), count, &bytes), "gtr_linear_scratch_size");
    Scratch scratch(trial, bytes);
    trial.run(target.stream(), "gtr_linear", [&] {
      return gtr_linear(target.stream(), linear.get(), GTR_ACTIVATION_GELU, x.view(), gate.view(), nullptr, y.view(),
                        scratch.data(), scratch.size());
    });
    return y.values();
  });
}

}  // namespace

void add_linear_cases(CaseList& cases) {
  add_epilogues(cases);
  add_row_counts(cases);
  add_widths(cases);
  add_weight_dtypes(cases);
  add_model_shapes(cases);
  add_borders(cases);
  add_long_sums(cases);
  for (const gtr_dtype y : {GTR_F32, GTR_BF16}) {
    const std::string stored = y == GTR_BF16 ? ", stored as bf16" : "";
    cases.add_once("GELU over the range of float" + stored,
                   [y](Trial& trial) { run_activation_range(trial, GTR_ACTIVATION_GELU, y); });
    cases.add_once("SiLU over the range of float" + stored,
                   [y](Trial& trial) { run_activation_range(trial, GTR_ACTIVATION_SILU, y); });
  }
  cases.add_once("f32 result stored as bf16", [](Trial& trial) { run_rounding(trial, GTR_PRECISION_F32, GTR_BF16); });
  cases.add_once("bf16 input", [](Trial& trial) { run_rounding(trial, GTR_PRECISION_BF16, GTR_F32); });
  for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
    const std::string prefix = precision == GTR_PRECISION_BF16 ? "bf16 " : "f32 ";
    cases.add(prefix + "broadcast rows", [precision](Trial& trial) { run_broadcast(trial, precision); });
    cases.add(prefix + "set in windows", [precision](Trial& trial) { run_set_in_windows(trial, precision); });
    cases.add(prefix + "non-finite row", [precision](Trial& trial) { run_non_finite_row(trial, precision); });
    cases.add_once(prefix + "row invariance",
                   [precision](Trial& trial) { run_invariance(trial, precision, GTR_F32, 67, 101); });
    cases.add_once(prefix + "row invariance, deep",
                   [precision](Trial& trial) { run_invariance(trial, precision, GTR_F32, 1531, 48); });
  }
  cases.add_once("bf16 row invariance, x bf16",
                 [](Trial& trial) { run_invariance(trial, GTR_PRECISION_BF16, GTR_BF16, 129, 70); });
  // Read in place, and deep enough that a CPU finishes a tile during the next.
  cases.add_once("bf16 row invariance, x bf16, deep",
                 [](Trial& trial) { run_invariance(trial, GTR_PRECISION_BF16, GTR_BF16, 770, 101); });
  // Read in place, and wide enough that a GPU takes its large tiles.
  cases.add_once("bf16 row invariance, wide",
                 [](Trial& trial) { run_invariance(trial, GTR_PRECISION_BF16, GTR_BF16, 96, 520); });
}

}  // namespace gtr::test
