#include "reference/noise.h"

#include <array>
#include <cmath>

#include "fixtures/row_invariance.h"
#include "harness/case.h"

namespace gtr::test {
namespace {

// The double result rounded once is the reference rounded to the nearest float, so it errs by half a unit in its last
// place. To that comes what double functions of two libraries may disagree by: near a zero of the cosine the error of
// its argument, 2 pi u rounded to double, times the radius, which is below 7. CUDA: within 1e-6 of that.
double allowed_error(double reference, bool is_cpu) {
  const double half_ulp = std::ldexp(0.5, std::ilogb(reference) - 23);
  return half_ulp * (1 + 1e-6) + 7e-15 + (is_cpu ? 0 : 1e-6 * std::fabs(reference) + 1e-6);
}

struct Problem {
  int64_t rows;
  int64_t channels;
  bool broadcast;  // seed and draw with stride 0
  int64_t padding;
};

void run_problem(Trial& trial, const Problem& p) {
  const std::vector<int64_t> one = p.broadcast ? std::vector<int64_t>{0} : std::vector<int64_t>{1};
  Tensor seed(trial, "seed", Role::kInput, GTR_U64, {p.rows}, one);
  Tensor image(trial, "image", Role::kInput, GTR_U32, {p.rows});
  Tensor cell(trial, "cell", Role::kInput, GTR_U32, {p.rows});
  Tensor draw(trial, "draw", Role::kInput, GTR_U32, {p.rows}, one);
  Tensor y(trial, "y", Role::kOutput, GTR_F32, {p.rows, p.channels}, {p.channels + p.padding, 1});
  for (int64_t i = 0; i < p.rows; ++i) {
    seed.at<uint64_t>(i) = trial.random().next();  // all 64 bits, more than a double holds
    image.at<uint32_t>(i) = static_cast<uint32_t>(trial.random().next());
    cell.at<uint32_t>(i) = static_cast<uint32_t>(trial.random().next());
    draw.at<uint32_t>(i) = static_cast<uint32_t>(trial.random().next());
  }
  trial.run("gtr_noise", [&] {
    return gtr_noise(trial.target().stream(), seed.view(), image.view(), cell.view(), draw.view(), y.view());
  });
  int bad = 0;
  for (int64_t row = 0; row < p.rows; ++row) {
    for (int64_t c = 0; c < p.channels; ++c) {
      const double expected = reference::noise(seed.at<uint64_t>(row), image.at<uint32_t>(row), cell.at<uint32_t>(row),
                                               draw.at<uint32_t>(row), c);
      const double got = y.get(row * p.channels + c);
      const double allowed = allowed_error(expected, trial.target().is_cpu());
      if (std::fabs(got - expected) <= allowed || bad++ > 0) continue;
      trial.fail("row %lld channel %lld: got %.12g, expected %.12g, allowed %.3g", static_cast<long long>(row),
                 static_cast<long long>(c), got, expected, allowed);
    }
  }
}

// Published known answers of Philox4x32-10 (Random123's kat_vectors).
void run_known_answers(Trial& trial) {
  struct Answer {
    std::array<uint32_t, 4> counter;
    uint64_t seed;
    std::array<uint32_t, 4> words;
  };
  constexpr Answer kAnswers[] = {{{0, 0, 0, 0}, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
                                 {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
                                  0xffffffffffffffff,
                                  {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
                                 {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                                  0x299f31d0a4093822,
                                  {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
  for (const Answer& answer : kAnswers) {
    std::array<uint32_t, 4> words{};
    require_ok(gtr_philox(answer.seed, answer.counter[0], answer.counter[1], answer.counter[2], answer.counter[3],
                          words.data()),
               "gtr_philox");
    trial.expect(words == answer.words, "gtr_philox differs from a published answer");
    trial.expect(reference::philox(answer.seed, answer.counter) == answer.words, "the reference differs from it");
  }
  for (int i = 0; i < 1000; ++i) {
    const uint64_t seed = trial.random().next();
    std::array<uint32_t, 4> counter{};
    for (uint32_t& word : counter) word = static_cast<uint32_t>(trial.random().next());
    std::array<uint32_t, 4> words{};
    require_ok(gtr_philox(seed, counter[0], counter[1], counter[2], counter[3], words.data()), "gtr_philox");
    if (!trial.expect(words == reference::philox(seed, counter), "gtr_philox differs from the reference")) return;
  }
}

void run_golden(Trial& trial, int draw_number) {
  const Safetensors& file = trial.data().golden("tiny_cases");
  const std::string name = "noise.draw" + std::to_string(draw_number);
  const auto image_values = file.get("noise.image").integers();
  const auto cell_values = file.get("noise.cell").integers();
  const auto seed_value = static_cast<uint64_t>(file.get("noise.seed").integers()[0]);
  const auto rows = static_cast<int64_t>(cell_values.size());
  Tensor seed(trial, "seed", Role::kInput, GTR_U64, {rows}, {0});
  Tensor image(trial, "image", Role::kInput, GTR_U32, {rows});
  Tensor cell(trial, "cell", Role::kInput, GTR_U32, {rows});
  Tensor draw(trial, "draw", Role::kInput, GTR_U32, {rows}, {0});
  Tensor y(trial, "y", Role::kOutput, GTR_F32, {rows, file.get(name).shape[1]});
  seed.at<uint64_t>(0) = seed_value;
  draw.at<uint32_t>(0) = static_cast<uint32_t>(draw_number);
  for (int64_t i = 0; i < rows; ++i) {
    image.at<uint32_t>(i) = static_cast<uint32_t>(image_values[static_cast<size_t>(i)]);
    cell.at<uint32_t>(i) = static_cast<uint32_t>(cell_values[static_cast<size_t>(i)]);
  }
  trial.run("gtr_noise", [&] {
    return gtr_noise(trial.target().stream(), seed.view(), image.view(), cell.view(), draw.view(), y.view());
  });
  // Rounded once on both sides: at most the neighbouring float, and only where double functions disagree.
  trial.compare(y, file.values(name),
                {trial.target().is_cpu() ? 7e-15 : 1e-6, trial.target().is_cpu() ? 0x1p-23 : 1e-6});

  const auto words = file.get("noise.raw_words_draw0_block0").integers();
  for (size_t i = 0; i < cell_values.size(); ++i) {
    uint32_t got[4] = {};
    require_ok(gtr_philox(seed_value, 0, 0, static_cast<uint32_t>(cell_values[i]),
                          static_cast<uint32_t>(image_values[i]), got),
               "gtr_philox");
    for (size_t word = 0; word < 4; ++word) {
      trial.expect(got[word] == words[4 * i + word], "gtr_philox differs from the golden words");
    }
  }
}

void run_invariance(Trial& trial) {
  constexpr int64_t kRows = 512;
  constexpr int64_t kChannels = 18;
  check_row_invariance(trial, kRows, [&](Target& target, const std::vector<int64_t>& rows) {
    const auto count = static_cast<int64_t>(rows.size());
    Tensor seed(trial, "seed", Role::kInput, GTR_U64, {count}, {0});
    Tensor image(trial, "image", Role::kInput, GTR_U32, {count}, {0});
    Tensor cell(trial, "cell", Role::kInput, GTR_U32, {count});
    Tensor draw(trial, "draw", Role::kInput, GTR_U32, {count}, {0});
    Tensor y(trial, "y", Role::kOutput, GTR_F32, {count, kChannels});
    seed.at<uint64_t>(0) = 7;
    image.at<uint32_t>(0) = 3;
    draw.at<uint32_t>(0) = 0;
    cell.fill([&](int64_t i) { return static_cast<double>(rows[static_cast<size_t>(i)]); });
    trial.run(target.stream(), "gtr_noise", [&] {
      return gtr_noise(target.stream(), seed.view(), image.view(), cell.view(), draw.view(), y.view());
    });
    return y.values();
  });
}

}  // namespace

void add_noise_cases(CaseList& cases) {
  for (const int64_t rows : {0, 1, 3, 17, 100}) {
    for (const int64_t channels : {1, 2, 3, 4, 5, 15, 16, 17, 18, 64, 257}) {
      const Problem p{rows, channels, rows % 2 == 0, channels % 3};
      cases.add(describe(rows, "x", channels, p.broadcast ? "broadcast" : "", "padding", p.padding),
                [p](Trial& trial) { run_problem(trial, p); });
    }
  }
  cases.add_once("known answers of Philox", run_known_answers);
  for (const int draw : {0, 1, 100}) {
    cases.add(describe("golden draw", draw), [draw](Trial& trial) { run_golden(trial, draw); });
  }
  cases.add_once("row invariance", run_invariance);
}

}  // namespace gtr::test
