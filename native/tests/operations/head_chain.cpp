#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include "fixtures/chain.h"
#include "fixtures/row_invariance.h"
#include "fixtures/weights.h"
#include "harness/case.h"
#include "reference/head_of_checkpoint.h"

namespace gtr::test {
namespace {

// Relative, for each row of a chain that is not sensitive.
double limit_of(gtr_precision precision) { return precision == GTR_PRECISION_BF16 ? 2e-2 : 5e-6; }

// The same, and what the head's own imprecision makes of a row: the first reverse step multiplies x - epsilon by up to
// 2e4 before x0 is clipped, so a row in which they are close together at some channel depends on their last bits.
std::vector<double> limits_of(const reference::Head& head, const std::vector<reference::ChainRow>& rows, double x0_clip,
                              const reference::Values& expected) {
  const double head_error = head.precision == GTR_PRECISION_BF16 ? 4e-3 : 3e-6;  // what head_forward is granted
  const reference::Values disturbed = reference_chain(head, rows, x0_clip, head_error);
  const auto width = static_cast<size_t>(head.channels);
  std::vector<double> limits;
  for (size_t row = 0; row < rows.size(); ++row) {
    limits.push_back(limit_of(head.precision) + relative_norm(&disturbed[row * width], &expected[row * width], width));
  }
  return limits;
}

struct Part {
  int rows;
  int steps;
  bool guided;
};

std::vector<reference::ChainRow> make_rows(Trial& trial, const reference::Head& head, const std::vector<Part>& parts) {
  std::vector<reference::ChainRow> rows;
  for (const Part& part : parts) {
    for (int i = 0; i < part.rows; ++i) rows.push_back(random_row(trial.random(), head, part.steps, part.guided));
  }
  return rows;
}

const std::vector<Part> kRagged{{2, 12, true}, {3, 12, false}, {1, 7, true}, {5, 3, false},
                                {2, 3, true},  {1, 1, false},  {2, 1, true}};

struct Size {
  int64_t channels = 6;
  int64_t condition = 17;
  int64_t width = 40;
  int64_t blocks = 2;
};

void run_chain(Trial& trial, gtr_precision precision, const std::vector<Part>& parts, ChainOptions options,
               Size size = {}) {
  const reference::Head head =
      random_head(trial.random(), size.channels, size.condition, size.width, size.blocks, precision);
  const HeadHandle handle = make_head(trial, trial.target(), head);
  const auto rows = make_rows(trial, head, parts);
  ChainCall call(trial, head, rows, options);
  const reference::Values expected = reference_chain(head, rows, options.x0_clip);
  trial.compare_norm("x0", call.run(trial.target(), handle.get()), expected, head.channels,
                     limits_of(head, rows, options.x0_clip, expected));
}

// A network of zeros but for the last bias: epsilon and v are known constants, so that only the update and the noise
// are left, which float does to some epsilons of the largest intermediate.
void run_update_only(Trial& trial, double x0_clip) {
  reference::Head head = zero_head(5, 3, 8, 1, GTR_PRECISION_F32);
  for (double& value : head.tensors.at("final_layer.linear.bias")) {
    value = static_cast<double>(static_cast<float>(trial.random().uniform(-1, 1)));
  }
  const HeadHandle handle = make_head(trial, trial.target(), head);
  std::vector<reference::ChainRow> rows;
  for (const int steps : {1000, 333, 100, 50, 20, 2, 1}) {
    for (const double temperature : {0.0, 1.0, 0.5}) {
      rows.push_back(random_row(trial.random(), head, steps, temperature == 0.5));
      rows.back().temperature = temperature;
    }
  }
  ChainCall call(trial, head, rows, {x0_clip, 0, true});
  trial.compare_norm("x0", call.run(trial.target(), handle.get()), reference_chain(head, rows, x0_clip), head.channels,
                     2e-6);
}

// cfg 1 gives what no guidance gives, up to rounding, whatever the unconditional half is; cfg 0 gives the unconditional
// epsilon. Exactly known values of a row, so that a swapped half shows.
void run_guidance(Trial& trial) {
  const reference::Head head = random_head(trial.random(), 6, 17, 40, 2, GTR_PRECISION_F32);
  const HeadHandle handle = make_head(trial, trial.target(), head);
  std::vector<reference::ChainRow> rows;
  for (const double cfg : {0.0, 1.0, 3.0}) {
    rows.push_back(random_row(trial.random(), head, 8, true));
    rows.back().cfg = cfg;
  }
  rows.push_back(rows[1]);
  rows.back().guided = false;
  ChainCall call(trial, head, rows, {1, 0, false});
  const reference::Values got = call.run(trial.target(), handle.get());
  trial.compare_norm("x0", got, reference_chain(head, rows, 1), head.channels, limit_of(GTR_PRECISION_F32));
  const auto row = [&](int r) {
    return reference::Values(got.begin() + r * head.channels, got.begin() + (r + 1) * head.channels);
  };
  trial.compare_norm("cfg 1 against no guidance", row(1), row(3), head.channels, limit_of(GTR_PRECISION_F32));
}

// The chain equals a loop of single steps; the memory for modulations, where rows lie and which groups run together
// change no bit.
void run_equivalences(Trial& trial, gtr_precision precision) {
  const reference::Head head = random_head(trial.random(), 6, 17, 40, 3, precision);
  const HeadHandle handle = make_head(trial, trial.target(), head);
  const auto rows = make_rows(trial, head, kRagged);
  ChainCall call(trial, head, rows, {2, 0, false});
  const reference::Values together = call.run(trial.target(), handle.get());
  trial.compare_bits("chain as a loop of steps", call.run_as_steps(trial.target(), handle.get()), together);
  for (const int64_t bytes : {int64_t{1}, int64_t{2000}, int64_t{40000}, int64_t{1} << 30}) {
    for (const bool permuted : {false, true}) {
      ChainCall other(trial, head, rows, {2, bytes, permuted});
      trial.compare_bits(describe("modulation bytes", bytes, permuted ? "permuted" : ""),
                         other.run(trial.target(), handle.get()), together);
    }
  }
  size_t first = 0;
  for (const Part& part : kRagged) {
    const size_t end = first + static_cast<size_t>(part.rows);
    const auto row_at = [](size_t at) { return static_cast<std::ptrdiff_t>(at); };
    ChainCall alone(trial, head, {rows.begin() + row_at(first), rows.begin() + row_at(end)}, {2, 0, false});
    const auto channels = static_cast<size_t>(head.channels);
    trial.compare_bits(
        describe("group of", part.steps, "steps alone"), alone.run(trial.target(), handle.get()),
        reference::Values(together.begin() + row_at(first * channels), together.begin() + row_at(end * channels)));
    first = end;
  }
}

void run_invariance(Trial& trial, gtr_precision precision, int64_t channels, int64_t width) {
  constexpr int64_t kRows = 512;
  const reference::Head head = random_head(trial.random(), channels, 13, width, 2, precision);
  std::vector<reference::ChainRow> all;
  for (int64_t r = 0; r < kRows; ++r) {
    constexpr int kSteps[] = {3, 1, 2, 3};
    all.push_back(random_row(trial.random(), head, kSteps[r % 4], r % 3 == 0));
  }
  check_row_invariance(trial, kRows, [&](Target& target, const std::vector<int64_t>& rows) {
    std::vector<reference::ChainRow> chosen;
    for (const int64_t row : rows) chosen.push_back(all[static_cast<size_t>(row)]);
    const HeadHandle handle = make_head(trial, target, head);
    ChainCall call(trial, head, chosen, {1, 0, false});
    return call.run(target, handle.get());
  });
}

// A backend may keep what it made of a chain's groups for the next call that has them, with this head and scratch: what
// the caller gives anew must count, and a head in the place of a destroyed one is another head.
void run_again(Trial& trial, gtr_precision precision) {
  std::unique_ptr<Scratch> scratch;
  for (int round = 0; round < 4; ++round) {
    const reference::Head head = random_head(trial.random(), 6, 17, 40, 2, precision);
    const HeadHandle handle = make_head(trial, trial.target(), head);
    for (const bool permuted : {false, true}) {
      ChainCall call(trial, head, make_rows(trial, head, kRagged), {round % 2 == 0 ? 0.5 : 0, 0, permuted});
      const reference::Values expected = call.run(trial.target(), handle.get());
      if (scratch == nullptr) scratch = std::make_unique<Scratch>(trial, call.scratch_size(handle.get()));
      if (round > 1) {
        trial.run("gtr_head_chain_prepare", [&] {
          return gtr_head_chain_prepare(trial.target().stream(), handle.get(), &call.chain(), scratch->data(),
                                        scratch->size());
        });
      }
      trial.compare_bits(describe("head", round, permuted ? "permuted" : "in order"),
                         call.run(trial.target(), handle.get(), *scratch), expected);
    }
  }
}

// More chains than a stream remembers, twice.
void run_many(Trial& trial) {
  constexpr int kChains = 40;
  const reference::Head head = random_head(trial.random(), 3, 5, 16, 1, GTR_PRECISION_F32);
  const HeadHandle handle = make_head(trial, trial.target(), head);
  const reference::ChainRow row = random_row(trial.random(), head, kChains, true);
  std::unique_ptr<Scratch> scratch;  // of the longest, which comes first
  for (const char* round : {"first", "again"}) {
    for (int steps = kChains; steps > 0; --steps) {
      reference::ChainRow shorter = row;
      shorter.steps = steps;
      ChainCall call(trial, head, {shorter}, {1, 0, false});
      if (scratch == nullptr) scratch = std::make_unique<Scratch>(trial, call.scratch_size(handle.get()));
      trial.compare_norm(describe(round, steps, "steps"), call.run(trial.target(), handle.get(), *scratch),
                         reference_chain(head, {shorter}, 1), head.channels, 2e-5);
    }
  }
}

// One value that gtr.h forbids: the call, or on an asynchronous backend the next synchronisation, names it. The CPU
// then writes nothing; CUDA leaves out the rows of the value, whose x stays as it is.
void run_refused(Trial& trial) {
  const reference::Head head = random_head(trial.random(), 5, 9, 24, 1, GTR_PRECISION_F32);
  const HeadHandle handle = make_head(trial, trial.target(), head);
  constexpr size_t kRows = 7;
  const std::vector<Part> parts{{4, 3, true}, {3, 2, false}};
  const auto rows = make_rows(trial, head, parts);
  ChainCall call(trial, head, rows, {1, 0, true});
  const reference::Values good = call.run(trial.target(), handle.get());
  const auto place_of = [&](int64_t row) { return static_cast<int64_t>(call.place()->get(row)); };
  const auto places = static_cast<int64_t>(call.temperature().count());
  const double infinity = std::numeric_limits<double>::infinity();
  const struct {
    const char* argument;
    Tensor* array;
    int64_t at;
    double value;
    std::string sentence;
    std::vector<size_t> of_rows;
  } refusals[] = {
      {"chain.place", call.place(), 5, -1, describe("chain.place[5] is -1; allowed are 0 to", places - 1), {5}},
      {"chain.place", call.place(), 0, static_cast<double>(places), describe("chain.place[0] is", places), {0}},
      {"chain.place",
       call.place(),
       6,
       static_cast<double>(place_of(2)),
       describe("chain.place holds", place_of(2), "more than once; allowed are distinct places"),
       {2, 6}},
      {"chain.cfg", call.cfg(), place_of(1), -0.5, describe("chain.cfg["), {1}},
      {"chain.cfg", call.cfg(), place_of(3), std::nan(""), "; allowed are finite numbers from 0", {3}},
      {"chain.temperature",
       &call.temperature(),
       place_of(4),
       infinity,
       " is inf; allowed are finite numbers from 0",
       {4}},
  };
  for (const auto& refusal : refusals) {
    const double before = refusal.array->get(refusal.at);
    const reference::Values start(kRows * static_cast<size_t>(head.channels), 3);
    call.set_x_of_rows(start);
    refusal.array->set(refusal.at, refusal.value);
    const Scratch scratch(trial, call.scratch_size(handle.get()));
    trial.before_call();
    gtr_status status = gtr_head_chain(trial.target().stream(), handle.get(), &call.chain(), call.x().view(),
                                       scratch.data(), scratch.size());
    if (status == GTR_OK) status = gtr_stream_synchronize(trial.target().stream());
    const std::string message = gtr_last_error();
    const std::string argument = gtr_last_error_argument();
    trial.after_call();
    refusal.array->set(refusal.at, before);
    if (status != GTR_ERROR_INVALID_ARGUMENT || argument != refusal.argument ||
        message.find(refusal.sentence) == std::string::npos) {
      trial.fail("%s for \"%s\": \"%s\" about %s", gtr_status_name(status), refusal.sentence.c_str(), message.c_str(),
                 argument.c_str());
    }
    reference::Values got = call.x_of_rows();
    reference::Values expected = trial.target().is_cpu() ? start : good;
    for (const size_t row : refusal.of_rows) {
      for (size_t i = row * static_cast<size_t>(head.channels); i < (row + 1) * static_cast<size_t>(head.channels);
           ++i) {
        // Of two rows at one place either may be left out.
        expected[i] = refusal.of_rows.size() == 1 ? start[i] : got[i];
      }
    }
    trial.compare_bits(describe("x0 beside a wrong", refusal.argument), got, expected);
  }
  trial.compare_bits("x0 after all refusals", call.run(trial.target(), handle.get()), good);
}

// The same place arrays with stride 0: one seed, image, cfg and temperature for all rows, as one request has them.
void run_broadcast(Trial& trial) {
  const reference::Head head = random_head(trial.random(), 4, 9, 24, 1, GTR_PRECISION_F32);
  const HeadHandle handle = make_head(trial, trial.target(), head);
  auto rows = make_rows(trial, head, {{3, 4, true}, {2, 2, true}});
  for (reference::ChainRow& row : rows) {
    row.seed = rows[0].seed;
    row.image = rows[0].image;
    row.cfg = rows[0].cfg;
    row.temperature = rows[0].temperature;
  }
  ChainCall call(trial, head, rows, {1, 0, false});
  const reference::Values expected = call.run(trial.target(), handle.get());
  const auto count = static_cast<int64_t>(rows.size());
  Tensor seed(trial, "seed", Role::kInput, GTR_U64, {count}, {0});
  Tensor image(trial, "image", Role::kInput, GTR_U32, {count}, {0});
  Tensor cfg(trial, "cfg", Role::kInput, GTR_F32, {count}, {0});
  Tensor temperature(trial, "temperature", Role::kInput, GTR_F32, {count}, {0});
  seed.at<uint64_t>(0) = rows[0].seed;
  image.at<uint32_t>(0) = rows[0].image;
  cfg.set(0, rows[0].cfg);
  temperature.set(0, rows[0].temperature);
  gtr_chain chain = call.chain();
  chain.seed = seed.view();
  chain.image = image.view();
  chain.cfg = cfg.view();
  chain.temperature = temperature.view();
  Scratch scratch(trial, call.scratch_size(handle.get()));
  trial.run("gtr_head_chain", [&] {
    return gtr_head_chain(trial.target().stream(), handle.get(), &chain, call.x().view(), scratch.data(),
                          scratch.size());
  });
  trial.compare_bits("x0", call.x_of_rows(), expected);
}

struct GoldenChain {
  std::string cells;     // prefix of cell, image and z
  std::string expected;  // x0
  int steps;
  double cfg;  // 1: no guidance
  double temperature;
  double x0_clip;
  double limit;
};

void run_golden(Trial& trial, const Safetensors& cases, const reference::Head& head, gtr_dtype weights,
                const GoldenChain& golden) {
  const HeadHandle handle = make_head(trial, trial.target(), head, weights);
  const auto cell = cases.get(golden.cells + ".cell").integers();
  const auto image = cases.get(golden.cells + ".image").integers();
  const reference::Values z = cases.values(golden.cells + ".z");
  const auto z_row = [&](size_t row) {
    const auto first = z.begin() + static_cast<std::ptrdiff_t>(row) * head.condition;
    return reference::Values(first, first + head.condition);
  };
  std::vector<reference::ChainRow> rows;
  for (size_t r = 0; r < cell.size(); ++r) {
    reference::ChainRow row{};
    row.steps = golden.steps;
    row.guided = golden.cfg != 1;
    row.seed = static_cast<uint64_t>(cases.get("chain.seed").integers()[0]);
    row.image = static_cast<uint32_t>(image[r]);
    row.cell = static_cast<uint32_t>(cell[r]);
    row.cfg = golden.cfg;
    row.temperature = golden.temperature;
    row.z = z_row(r);
    if (row.guided) row.z_unconditional = z_row(cell.size() + r);
    rows.push_back(row);
  }
  ChainCall call(trial, head, rows, {golden.x0_clip, 0, false});
  trial.compare_norm(golden.expected, call.run(trial.target(), handle.get()), cases.values(golden.expected),
                     head.channels, golden.limit);
}

void add_golden(CaseList& cases) {
  cases.add("golden chain", [](Trial& trial) {
    const Safetensors& file = trial.data().golden("tiny_cases");
    run_golden(trial, file, reference::head_of(trial.data().golden("tiny"), GTR_PRECISION_F32), GTR_F32,
               {"chain", "chain.x0_T1", 1, 1, file.values("chain.temperature")[0], 0, 1e-5});
  });
  cases.add("golden chain_guided", [](Trial& trial) {
    const Safetensors& file = trial.data().golden("tiny_cases");
    run_golden(trial, file, reference::head_of(trial.data().golden("tiny"), GTR_PRECISION_F32), GTR_F32,
               {"chain_guided", "chain_guided.x0_T1", 1, file.values("chain_guided.cfg")[0],
                file.values("chain.temperature")[0], 0, 1e-5});
  });
  const auto add_fashion = [&](gtr_precision precision, const GoldenChain& golden) {
    cases.add_once(describe(precision == GTR_PRECISION_BF16 ? "bf16" : "f32", "golden", golden.expected),
                   [=](Trial& trial) {
                     GoldenChain with_clip = golden;
                     if (golden.x0_clip != 0)
                       with_clip.x0_clip = std::stod(trial.data().model().metadata().at("x0_clip"));
                     run_golden(trial, trial.data().golden("fashion_cases"),
                                reference::head_of(trial.data().model(), precision), GTR_BF16, with_clip);
                   });
  };
  for (const int steps : {1, 2, 5, 20, 50, 100}) {
    const std::string suffix = ".x0_T" + std::to_string(steps);
    for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
      add_fashion(precision, {"chain", "chain.cfg1" + suffix, steps, 1, 1, 1, limit_of(precision)});
      // With few steps the first one decides most, and guidance by 3 makes an error of bfloat16 in epsilon decide the
      // sign of a clipped x0: there is nothing to compare.
      if (precision == GTR_PRECISION_BF16 && (steps == 2 || steps == 5)) continue;
      add_fashion(precision,
                  {"chain", "chain.cfg3" + suffix, steps, 3, static_cast<double>(0.9f), 1, limit_of(precision)});
    }
  }
  // Unclipped these diverge by design: the errors of the first steps, some 1e-7, are multiplied by up to 1800.
  for (const int steps : {5, 20}) {
    add_fashion(GTR_PRECISION_F32, {"chain", "chain.noclip.cfg1.x0_T" + std::to_string(steps), steps, 1, 1, 0, 2e-4});
  }
}

}  // namespace

void add_head_chain_cases(CaseList& cases) {
  for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
    const std::string prefix = precision == GTR_PRECISION_BF16 ? "bf16 " : "f32 ";
    const auto add = [&](const std::string& name, const std::vector<Part>& parts, ChainOptions options) {
      cases.add(prefix + name, [=](Trial& trial) { run_chain(trial, precision, parts, options); });
    };
    add("one step", {{3, 1, false}}, {0, 0, false});
    add("one step guided", {{3, 1, true}}, {0, 0, true});
    add("one row", {{1, 20, true}}, {1, 0, false});
    add("ragged", kRagged, {1.5, 0, false});
    add("ragged permuted", kRagged, {1.5, 0, true});
    add("ragged, little memory", kRagged, {1.5, 1, true});
    add("many rows", {{70, 3, false}, {30, 2, true}}, {1.5, 0, false});
    cases.add_once(prefix + "equivalences", [precision](Trial& trial) { run_equivalences(trial, precision); });
    cases.add_once(prefix + "again", [precision](Trial& trial) { run_again(trial, precision); });
    cases.add_once(prefix + "row invariance", [precision](Trial& trial) { run_invariance(trial, precision, 5, 36); });
    cases.add_once(prefix + "row invariance, odd width",
                   [precision](Trial& trial) { run_invariance(trial, precision, 21, 35); });
    for (const Size size : {Size{21, 5, 36, 1}, Size{6, 5, 37, 1}, Size{6, 5, 1540, 0}}) {
      cases.add_once(prefix + describe(size.channels, "channels, width", size.width), [=](Trial& trial) {
        run_chain(trial, precision, {{1, 2, true}, {1, 2, false}, {6, 1, true}}, {1, 0, false}, size);
      });
    }
  }
  cases.add("update only", [](Trial& trial) { run_update_only(trial, 0); });
  cases.add("update only, x0 clip", [](Trial& trial) { run_update_only(trial, 0.7); });
  cases.add("guidance", run_guidance);
  cases.add_once("more chains than a stream remembers", run_many);
  cases.add_once("refused values", run_refused);
  cases.add("broadcast arrays", run_broadcast);
  add_golden(cases);
}

}  // namespace gtr::test
