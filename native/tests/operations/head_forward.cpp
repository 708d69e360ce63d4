#include "fixtures/row_invariance.h"
#include "fixtures/weights.h"
#include "harness/bfloat16.h"
#include "harness/case.h"
#include "harness/float16.h"
#include "reference/head.h"
#include "reference/head_of_checkpoint.h"

namespace gtr::test {
namespace {

// In float an element errs by some epsilons, 6e-8, through a dozen layers. In bfloat16 the reference rounds the inputs
// of the same products, but from values that differ in float's last bits, so that some are rounded to the neighbour,
// and a backend may store shift, scale and gate as bfloat16: each layer adds noise of a fraction of an epsilon of
// bfloat16, 4e-3.
double limit_of(gtr_precision precision) { return precision == GTR_PRECISION_BF16 ? 4e-3 : 3e-6; }

reference::Values forward(Trial& trial, const Target& target, const gtr_head* head, Tensor& x, Tensor& t, Tensor& z,
                          Tensor& out) {
  int64_t bytes = -1;
  require_ok(gtr_head_forward_scratch_size(head, x.shape()[0], &bytes), "gtr_head_forward_scratch_size");
  Scratch scratch(trial, bytes);
  trial.run(target.stream(), "gtr_head_forward", [&] {
    return gtr_head_forward(target.stream(), head, x.view(), t.view(), z.view(), out.view(), scratch.data(),
                            scratch.size());
  });
  return out.values();
}

reference::Values reference_forward(const reference::Head& head, const Tensor& x, const Tensor& t, const Tensor& z) {
  const reference::Values x_values = x.values();
  const reference::Values z_values = z.values();
  reference::Values out;
  for (int64_t row = 0; row < x.shape()[0]; ++row) {
    const auto x_row = x_values.begin() + row * head.channels;
    const auto z_row = z_values.begin() + row * head.condition;
    const reference::Values result = reference::head_forward(
        head, {x_row, x_row + head.channels}, static_cast<int>(t.get(row)), {z_row, z_row + head.condition});
    out.insert(out.end(), result.begin(), result.end());
  }
  return out;
}

struct Problem {
  int64_t rows;
  int64_t channels;
  int64_t condition;
  int64_t width;
  int64_t blocks;
  gtr_precision precision;
  gtr_dtype weights = GTR_F32;
  int64_t padding = 0;
};

void run_problem(Trial& trial, const Problem& p) {
  reference::Head head = random_head(trial.random(), p.channels, p.condition, p.width, p.blocks, p.precision);
  for (auto& tensor : head.tensors) {
    for (double& value : tensor.second) {
      if (p.weights == GTR_BF16) value = round_to_bfloat16(value);
      if (p.weights == GTR_F16) value = from_float16(to_float16(value));
    }
  }
  const HeadHandle handle = make_head(trial, trial.target(), head, p.weights);
  Tensor x(trial, "x", Role::kInput, GTR_F32, {p.rows, p.channels}, {p.channels + p.padding, 1});
  Tensor t(trial, "t", Role::kInput, GTR_I32, {p.rows});
  Tensor z(trial, "z", Role::kInput, GTR_F32, {p.rows, p.condition}, {p.condition + p.padding, 1});
  Tensor out(trial, "out", Role::kOutput, GTR_F32, {p.rows, 2 * p.channels}, {2 * p.channels + p.padding, 1});
  x.fill_uniform(-2, 2);
  z.fill_uniform(-1, 1);
  t.fill([&](int64_t row) {
    return row == 0 ? 999.0 : row == 1 ? 0.0 : static_cast<double>(trial.random().integer(0, 999));
  });
  const reference::Values got = forward(trial, trial.target(), handle.get(), x, t, z, out);
  if (p.rows == 0) return;
  trial.compare_norm("out " + shape_text(out.shape()), got, reference_forward(head, x, t, z), 2 * p.channels,
                     limit_of(p.precision));
}

// A checkpoint arrives in windows: rows of every tensor are set in two pieces, the second first, after other values.
void run_set_in_windows(Trial& trial) {
  const reference::Head head = random_head(trial.random(), 5, 9, 23, 2, GTR_PRECISION_F32);
  const HeadHandle handle =
      make_head(trial, trial.target(), random_head(trial.random(), 5, 9, 23, 2, GTR_PRECISION_F32));
  for (const auto& named : reference::head_tensors(5, 9, 23, 2)) {
    const reference::Values& values = head.tensors.at(named.first);
    const int64_t rows = named.second[0];
    const int64_t width = named.second.size() == 2 ? named.second[1] : 1;
    for (const auto& range : {std::pair<int64_t, int64_t>{rows / 3, rows}, {0, rows / 3}}) {
      std::vector<int64_t> shape = named.second;
      shape[0] = range.second - range.first;
      Tensor value(trial, named.first.c_str(), Role::kHost, GTR_F32, shape);
      value.fill([&](int64_t i) { return values[static_cast<size_t>(range.first * width + i)]; });
      require_ok(gtr_head_set(handle.get(), named.first.c_str(), range.first, value.view()), named.first.c_str());
    }
  }
  Tensor x(trial, "x", Role::kInput, GTR_F32, {4, 5});
  Tensor t(trial, "t", Role::kInput, GTR_I32, {4});
  Tensor z(trial, "z", Role::kInput, GTR_F32, {4, 9});
  Tensor out(trial, "out", Role::kOutput, GTR_F32, {4, 10});
  x.fill_uniform(-2, 2);
  z.fill_uniform(-1, 1);
  t.fill_integers(0, 999);
  const reference::Values got = forward(trial, trial.target(), handle.get(), x, t, z, out);
  trial.compare_norm("out", got, reference_forward(head, x, t, z), 10, limit_of(GTR_PRECISION_F32));
}

void run_golden(Trial& trial, gtr_precision precision) {
  const Safetensors& cases = trial.data().golden("tiny_cases");
  const reference::Head head = reference::head_of(trial.data().golden("tiny"), precision);
  const HeadHandle handle = make_head(trial, trial.target(), head);
  const auto rows = cases.get("head.t").shape[0];
  Tensor x(trial, "x", Role::kInput, GTR_F32, {rows, head.channels});
  Tensor t(trial, "t", Role::kInput, GTR_I32, {rows});
  Tensor z(trial, "z", Role::kInput, GTR_F32, {rows, head.condition});
  Tensor out(trial, "out", Role::kOutput, GTR_F32, {rows, 2 * head.channels});
  const auto fill = [&](Tensor& tensor, const char* name) {
    const reference::Values values = cases.values(name);
    tensor.fill([&](int64_t i) { return values[static_cast<size_t>(i)]; });
  };
  fill(x, "head.x");
  fill(t, "head.t");
  fill(z, "head.z");
  const reference::Values expected = cases.values("head.out");
  trial.compare_norm("head.out", forward(trial, trial.target(), handle.get(), x, t, z, out), expected,
                     2 * head.channels, precision == GTR_PRECISION_BF16 ? 3e-2 : 1e-5);
}

void run_invariance(Trial& trial, gtr_precision precision) {
  constexpr int64_t kRows = 512;
  const reference::Head head = random_head(trial.random(), 6, 21, 70, 2, precision);
  Tensor all_x(trial, "all x", Role::kHost, GTR_F32, {kRows, head.channels});
  Tensor all_z(trial, "all z", Role::kHost, GTR_F32, {kRows, head.condition});
  all_x.fill_uniform(-2, 2);
  all_z.fill_uniform(-1, 1);
  check_row_invariance(trial, kRows, [&](Target& target, const std::vector<int64_t>& rows) {
    const HeadHandle handle = make_head(trial, target, head);
    const auto count = static_cast<int64_t>(rows.size());
    Tensor x(trial, "x", Role::kInput, GTR_F32, {count, head.channels});
    Tensor t(trial, "t", Role::kInput, GTR_I32, {count});
    Tensor z(trial, "z", Role::kInput, GTR_F32, {count, head.condition});
    Tensor out(trial, "out", Role::kOutput, GTR_F32, {count, 2 * head.channels});
    const auto from = [&](int64_t i, int64_t width) {
      return rows[static_cast<size_t>(i / width)] * width + i % width;
    };
    x.fill([&](int64_t i) { return all_x.get(from(i, head.channels)); });
    z.fill([&](int64_t i) { return all_z.get(from(i, head.condition)); });
    t.fill([&](int64_t i) { return static_cast<double>(rows[static_cast<size_t>(i)] * 37 % 1000); });
    return forward(trial, target, handle.get(), x, t, z, out);
  });
}

}  // namespace

void add_head_forward_cases(CaseList& cases) {
  const auto name_of = [](const Problem& p) {
    return describe(p.precision == GTR_PRECISION_BF16 ? "bf16" : "f32", "rows", p.rows, "C", p.channels, "D",
                    p.condition, "width", p.width, "blocks", p.blocks, "weights",
                    p.weights == GTR_F32   ? "f32"
                    : p.weights == GTR_F16 ? "f16"
                                           : "bf16",
                    "padding", p.padding);
  };
  const auto add = [&](const Problem& p) { cases.add(name_of(p), [p](Trial& trial) { run_problem(trial, p); }); };
  for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
    for (const int64_t rows : {0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 17, 65})
      add({rows, 5, 19, 33, 2, precision, GTR_F32, rows % 3});
    add({3, 1, 1, 1, 0, precision});
    add({3, 1, 1, 2, 1, precision});
    add({3, 3, 5, 7, 1, precision});
    add({4, 16, 40, 100, 0, precision});
    add({4, 17, 65, 130, 3, precision, GTR_BF16});
    add({4, 16, 64, 64, 2, precision, GTR_F16, 7});
    const Problem wide{2, 16, 768, 1024, 1, precision};
    cases.add_once(name_of(wide), [wide](Trial& trial) { run_problem(trial, wide); });
    const Problem fashion{33, 16, 192, 256, 3, precision};
    cases.add_once(name_of(fashion), [fashion](Trial& trial) { run_problem(trial, fashion); });
    const char* const prefix = precision == GTR_PRECISION_BF16 ? "bf16" : "f32";
    cases.add(describe(prefix, "golden"), [precision](Trial& trial) { run_golden(trial, precision); });
    cases.add_once(describe(prefix, "row invariance"), [precision](Trial& trial) { run_invariance(trial, precision); });
  }
  cases.add_once("set in windows", run_set_in_windows);
}

}  // namespace gtr::test
