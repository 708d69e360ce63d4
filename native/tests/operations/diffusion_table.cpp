#include "reference/diffusion.h"

#include <cmath>

#include "harness/case.h"

namespace gtr::test {
namespace {

std::vector<gtr_diffusion_step> table_of(int steps) {
  std::vector<gtr_diffusion_step> table(static_cast<size_t>(steps));
  require_ok(gtr_diffusion_table(steps, table.data()), "gtr_diffusion_table");
  return table;
}

// Double arithmetic on both sides. A difference such as 1 - alpha_bar, about 4e-5 for the least noise of 1000 steps,
// makes an epsilon of double 1e-11 of the value at most.
constexpr Tolerance kTolerance{0, 2e-11};

void run_reference(Trial& trial, int steps) {
  const auto table = table_of(steps);
  const auto expected = reference::diffusion_table(steps);
  const auto check = [&](const char* name, double gtr_diffusion_step::*got, double reference::DiffusionStep::*wanted) {
    std::vector<double> values;
    std::vector<double> references;
    for (size_t i = 0; i < table.size(); ++i) {
      values.push_back(table[i].*got);
      references.push_back(expected[i].*wanted);
    }
    trial.compare(name, values, references, kTolerance);
  };
  for (size_t i = 0; i < table.size(); ++i) {
    if (table[i].base_step != expected[i].base_step) {
      trial.fail("base step %zu is %d, not %d", i, table[i].base_step, expected[i].base_step);
    }
  }
  using Got = gtr_diffusion_step;
  using Wanted = reference::DiffusionStep;
  check("beta", &Got::beta, &Wanted::beta);
  check("alpha_bar", &Got::alpha_bar, &Wanted::alpha_bar);
  check("min_log_variance", &Got::min_log_variance, &Wanted::min_log_variance);
  check("max_log_variance", &Got::max_log_variance, &Wanted::max_log_variance);
  check("x0_coefficient", &Got::x0_coefficient, &Wanted::x0_coefficient);
  check("x_coefficient", &Got::x_coefficient, &Wanted::x_coefficient);
  check("reciprocal_root", &Got::reciprocal_root, &Wanted::reciprocal_root);
  check("reciprocal_root_minus_1", &Got::reciprocal_root_minus_1, &Wanted::reciprocal_root_minus_1);
}

void run_golden(Trial& trial, int steps) {
  const Safetensors& file = trial.data().golden("tiny_cases");
  const std::string prefix = "diffusion" + std::to_string(steps) + ".";
  const auto table = table_of(steps);
  const auto check = [&](const char* name, double gtr_diffusion_step::*field) {
    std::vector<double> values;
    for (const auto& step : table) values.push_back(step.*field);
    trial.compare(prefix + name, values, file.values(prefix + name), kTolerance);
  };
  std::vector<double> base_steps;
  for (const auto& step : table) base_steps.push_back(step.base_step);
  trial.compare(prefix + "timestep", base_steps, file.values(prefix + "timestep"), kExact);
  check("beta", &gtr_diffusion_step::beta);
  check("acp", &gtr_diffusion_step::alpha_bar);
  check("minlog", &gtr_diffusion_step::min_log_variance);
  check("maxlog", &gtr_diffusion_step::max_log_variance);
  check("c1", &gtr_diffusion_step::x0_coefficient);
  check("c2", &gtr_diffusion_step::x_coefficient);
  check("r", &gtr_diffusion_step::reciprocal_root);
  check("rm1", &gtr_diffusion_step::reciprocal_root_minus_1);
}

}  // namespace

void add_diffusion_table_cases(CaseList& cases) {
  for (const int steps : {1, 2, 20, 21, 23, 27, 31, 35, 39, 50, 100}) {
    cases.add_once(describe("golden T", steps), [steps](Trial& trial) { run_golden(trial, steps); });
  }
  for (int steps = 1; steps <= 64; ++steps) {
    cases.add_once(describe("T", steps), [steps](Trial& trial) { run_reference(trial, steps); });
  }
  for (const int steps : {100, 128, 250, 333, 500, 999, 1000}) {
    cases.add_once(describe("T", steps), [steps](Trial& trial) { run_reference(trial, steps); });
  }
}

}  // namespace gtr::test
