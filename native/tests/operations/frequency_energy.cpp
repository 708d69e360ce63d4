#include "reference/frequency_energy.h"

#include <cmath>
#include <limits>

#include "fixtures/row_invariance.h"
#include "harness/case.h"

namespace gtr::test {
namespace {

constexpr double kPi = 3.14159265358979323846;

std::vector<double> score_of(Trial& trial, const Target& target, const Tensor& z, Tensor& score) {
  int64_t bytes = -1;
  require_ok(gtr_frequency_energy_scratch_size(target.device(), z.shape()[0], z.shape()[1], &bytes),
             "gtr_frequency_energy_scratch_size");
  Scratch scratch(trial, bytes);
  trial.run(target.stream(), "gtr_frequency_energy", [&] {
    return gtr_frequency_energy(target.stream(), z.view(), score.view(), scratch.data(), scratch.size());
  });
  return score.values();
}

double halvings(int64_t dim) { return std::log2(static_cast<double>(dim)); }

// Scores rank tokens, so they should be as good as float allows: a fast transform errs by about log2(D) epsilons of the
// root mean square of a coefficient (through convolutions, for large primes, three times), and the errors of D / 2
// magnitudes average out in their sum. Eight epsilons more for magnitude, weight and storage.
Tolerance tolerance_of(int64_t dim) { return {0, (8 + 3 * halvings(dim)) * kFloatEpsilon}; }

void run_random(Trial& trial, int64_t rows, int64_t dim, int64_t padding, double magnitude) {
  Tensor z(trial, "z", Role::kInput, GTR_F32, {rows, dim}, {dim + padding, 1});
  Tensor score(trial, "score", Role::kOutput, GTR_F32, {rows});
  z.fill_uniform(-magnitude, magnitude);
  score_of(trial, trial.target(), z, score);
  trial.compare(score, reference::frequency_energy(z.values(), dim), tolerance_of(dim));
}

// Transforms that are known in closed form, for sizes where the definition would take too long: an impulse has
// magnitude 1 everywhere, and a cosine of k turns has D/2 at k (D at the highest of an even D) and nothing elsewhere.
void run_analytic(Trial& trial, int64_t dim, int64_t rows) {
  constexpr int64_t kKinds = 4;
  const int64_t half = dim / 2;
  const int64_t turns[] = {1, half / 3 + 1, half};
  // Where there are more rows than kinds, in an order that does not repeat after kKinds rows.
  const auto kind_of = [](int64_t row) { return (row + row / kKinds) % kKinds; };
  Tensor z(trial, "z", Role::kInput, GTR_F32, {rows, dim});
  Tensor score(trial, "score", Role::kOutput, GTR_F32, {rows});
  z.fill([&](int64_t i) {
    const int64_t n = i % dim;
    const int64_t kind = kind_of(i / dim);
    if (kind == 0) return n == dim / 3 ? 1.0 : 0.0;
    const int64_t phase = turns[kind - 1] * n % dim;
    return std::cos(2 * kPi * static_cast<double>(phase) / static_cast<double>(dim));
  });
  std::vector<double> expected{static_cast<double>(half) + static_cast<double>(half + 1) / 2};
  for (const int64_t k : turns) {
    const double magnitude = 2 * k == dim ? static_cast<double>(dim) : static_cast<double>(dim) / 2;
    expected.push_back(magnitude * (1 + static_cast<double>(k) / static_cast<double>(half)));
  }
  const std::vector<double> got = score_of(trial, trial.target(), z, score);
  const Tolerance of_impulse = tolerance_of(dim);
  // Beside the one coefficient of D / 2, the magnitudes of D / 2 errors add up: each log2(D) epsilons of the root mean
  // square of a coefficient, below sqrt(D), weighted by 1.5 on average.
  const double noise = 1.5 * halvings(dim) * std::sqrt(static_cast<double>(dim)) * kFloatEpsilon;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t kind = kind_of(row);
    trial.compare(describe("row", row, kind == 0 ? "an impulse" : "a cosine"), {got[static_cast<size_t>(row)]},
                  {expected[static_cast<size_t>(kind)]},
                  kind == 0 ? of_impulse : Tolerance{0, of_impulse.rtol + noise});
  }
}

// Coefficient 0 does not count, so a constant scores what rounding leaves.
void run_constant(Trial& trial, int64_t dim) {
  Tensor z(trial, "z", Role::kInput, GTR_F32, {2, dim});
  Tensor score(trial, "score", Role::kOutput, GTR_F32, {2});
  z.fill([&](int64_t i) { return i < dim ? 0.0 : 3.0; });
  score_of(trial, trial.target(), z, score);
  trial.compare("score of zeros", {score.get(0)}, {0}, kExact);
  // D / 2 coefficients with errors of log2(D) epsilons of their root mean square, 3 sqrt(D), weighted by 1.5 on
  // average.
  const auto size = static_cast<double>(dim);
  const double allowed = 0.5 * size * halvings(dim) * kFloatEpsilon * 3 * std::sqrt(size) * 1.5;
  trial.compare("score of a constant", {score.get(1)}, {0}, {allowed, 0});
}

void run_nan_row(Trial& trial) {
  constexpr int64_t kDim = 48;
  Tensor z(trial, "z", Role::kInput, GTR_F32, {5, kDim});
  Tensor score(trial, "score", Role::kOutput, GTR_F32, {5});
  z.fill_uniform(-1, 1);
  z.set(2 * kDim + 47, std::numeric_limits<double>::quiet_NaN());
  std::vector<double> got = score_of(trial, trial.target(), z, score);
  std::vector<double> expected = reference::frequency_energy(z.values(), kDim);
  trial.expect(std::isnan(got[2]), "a NaN in z is gone in its score");
  got[2] = expected[2] = 0;
  trial.compare("scores of the other rows", got, expected, tolerance_of(kDim));
}

void run_golden(Trial& trial, int64_t dim) {
  const Safetensors& file = trial.data().golden("tiny_cases");
  const std::string prefix = "frequency.d" + std::to_string(dim);
  const std::vector<double> values = file.values(prefix + ".z");
  Tensor z(trial, "z", Role::kInput, GTR_F32, {static_cast<int64_t>(values.size()) / dim, dim});
  Tensor score(trial, "score", Role::kOutput, GTR_F32, {z.shape()[0]});
  z.fill([&](int64_t i) { return values[static_cast<size_t>(i)]; });
  trial.compare_norm(prefix, score_of(trial, trial.target(), z, score), file.values(prefix + ".score"), 1, 1e-5);
}

void run_invariance(Trial& trial, int64_t dim) {
  constexpr int64_t kRows = 512;
  Tensor all(trial, "all", Role::kHost, GTR_F32, {kRows, dim});
  all.fill_uniform(-1, 1);
  check_row_invariance(trial, kRows, [&](Target& target, const std::vector<int64_t>& rows) {
    const auto count = static_cast<int64_t>(rows.size());
    Tensor z(trial, "z", Role::kInput, GTR_F32, {count, dim});
    Tensor score(trial, "score", Role::kOutput, GTR_F32, {count});
    z.fill([&](int64_t i) { return all.get(rows[static_cast<size_t>(i / dim)] * dim + i % dim); });
    return score_of(trial, target, z, score);
  });
}

}  // namespace

void add_frequency_energy_cases(CaseList& cases) {
  for (const int64_t dim :
       {2,   3,   4,   5,   6,   7,   8,   9,   11,  12,   13,   15,   16,   17,   25,   27,   31,  32,
        33,  48,  49,  60,  63,  64,  65,  81,  97,  100,  121,  127,  128,  169,  192,  211,  243, 251,
        256, 257, 361, 500, 512, 640, 768, 961, 997, 1000, 1021, 1024, 1153, 1280, 1536, 2048, 2187}) {
    cases.add(describe("D", dim), [dim](Trial& trial) { run_random(trial, dim > 300 ? 2 : 5, dim, dim % 4, 1); });
  }
  for (const int64_t rows : {0, 1, 33}) {
    cases.add(describe("rows", rows), [rows](Trial& trial) { run_random(trial, rows, 60, 7, 1); });
  }
  cases.add("small values", [](Trial& trial) { run_random(trial, 3, 96, 0, 1e-15); });
  cases.add("large values", [](Trial& trial) { run_random(trial, 3, 96, 0, 1e15); });
  // Whose squares no float holds.
  cases.add("smallest values", [](Trial& trial) { run_random(trial, 3, 96, 0, 1e-30); });
  cases.add("largest values", [](Trial& trial) { run_random(trial, 3, 96, 0, 1e35); });
  for (const int64_t dim : {64, 768, 1021, 4093, 4096, 10007, 65521, 65536}) {
    cases.add_once(describe("analytic D", dim), [dim](Trial& trial) { run_analytic(trial, dim, 4); });
    cases.add_once(describe("constant D", dim), [dim](Trial& trial) { run_constant(trial, dim); });
  }
  // More rows than a GPU works on at a time, as they do not fit into shared memory; of both methods.
  for (const int64_t dim : {59049, 65521, 65536}) {
    cases.add_once(describe("analytic D", dim, "many rows"), [dim](Trial& trial) { run_analytic(trial, dim, 11); });
  }
  cases.add("NaN row", run_nan_row);
  for (const int64_t dim : {5, 64, 192, 768, 1024, 1280, 1536}) {
    cases.add(describe("golden D", dim), [dim](Trial& trial) { run_golden(trial, dim); });
  }
  for (const int64_t dim : {97, 192}) {
    cases.add_once(describe("row invariance D", dim), [dim](Trial& trial) { run_invariance(trial, dim); });
  }
}

}  // namespace gtr::test
