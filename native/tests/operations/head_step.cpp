#include <algorithm>

#include "fixtures/chain.h"
#include "fixtures/weights.h"
#include "harness/case.h"

namespace gtr::test {
namespace {

// One reverse step from random x, against the reference. At the first step, whatever the head errs by in epsilon is
// multiplied by 1 / sqrt(alpha_bar), up to 2e4, but so is the difference x - epsilon that it is part of.
void run_step(Trial& trial, gtr_precision precision, double x0_clip, bool permuted) {
  const reference::Head head = random_head(trial.random(), 6, 17, 40, 2, precision);
  const HeadHandle handle = make_head(trial, trial.target(), head);
  std::vector<reference::ChainRow> rows;
  for (const int steps : {1, 2, 5, 20, 100}) {
    for (const bool guided : {false, true}) rows.push_back(random_row(trial.random(), head, steps, guided));
  }
  rows[3].temperature = 0;
  rows[5].cfg = 0;
  rows[7].cfg = 1;
  rows[9].cfg = 3;
  for (const int32_t index : {99, 98, 50, 19, 5, 4, 3, 1, 0}) {
    ChainCall call(trial, head, rows, {x0_clip, 0, permuted});
    reference::Values start;
    for (size_t i = 0; i < rows.size() * static_cast<size_t>(head.channels); ++i) {
      start.push_back(static_cast<double>(static_cast<float>(trial.random().uniform(-2, 2))));
    }
    call.set_x_of_rows(start);
    Scratch scratch(trial, call.scratch_size(handle.get()));
    trial.run("gtr_head_step", [&] {
      return gtr_head_step(trial.target().stream(), handle.get(), &call.chain(), index, call.x().view(), scratch.data(),
                           scratch.size());
    });
    reference::Values expected;
    for (size_t r = 0; r < rows.size(); ++r) {
      const auto first = start.begin() + static_cast<std::ptrdiff_t>(r) * head.channels;
      reference::Values x(first, first + head.channels);
      if (rows[r].steps > index) x = reference::head_step(head, rows[r], x0_clip, index, x);
      expected.insert(expected.end(), x.begin(), x.end());
    }
    const double limit = precision == GTR_PRECISION_BF16 ? 1e-2 : 3e-6;
    trial.compare_norm("x after step " + std::to_string(index), call.x_of_rows(), expected, head.channels, limit);
  }
}

}  // namespace

void add_head_step_cases(CaseList& cases) {
  for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
    for (const double x0_clip : {0.0, 1.5}) {
      for (const bool permuted : {false, true}) {
        cases.add(describe(precision == GTR_PRECISION_BF16 ? "bf16" : "f32", "x0 clip", x0_clip,
                           permuted ? "permuted" : "in order"),
                  [=](Trial& trial) { run_step(trial, precision, x0_clip, permuted); });
      }
    }
  }
}

}  // namespace gtr::test
