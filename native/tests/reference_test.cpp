// The oracle against golden vectors, which an independent implementation made.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "reference/attention.h"
#include "reference/diffusion.h"
#include "reference/frequency_energy.h"
#include "reference/head.h"
#include "reference/head_of_checkpoint.h"
#include "reference/noise.h"
#include "safetensors.h"

namespace gtr::test {
namespace {

using reference::Values;
int failures = 0;

void check_norm(const std::string& name, const Values& got, const Values& expected, double limit) {
  double difference = 0;
  double norm = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    difference += (got.at(i) - expected[i]) * (got.at(i) - expected[i]);
    norm += expected[i] * expected[i];
  }
  const bool good = got.size() == expected.size() && std::sqrt(difference) <= limit * std::sqrt(norm);
  if (!good) ++failures;
  std::printf("%s %s: relative norm %.3g, allowed %.3g\n", good ? "passed" : "FAILED", name.c_str(),
              std::sqrt(difference / norm), limit);
}

void check_each(const std::string& name, const Values& got, const Values& expected, double relative) {
  size_t bad = got.size() == expected.size() ? 0 : 1;
  for (size_t i = 0; i < expected.size() && i < got.size(); ++i) {
    if (!(std::fabs(got[i] - expected[i]) <= relative * std::fabs(expected[i]))) ++bad;
  }
  if (bad) ++failures;
  std::printf("%s %s: %zu of %zu values differ\n", bad ? "FAILED" : "passed", name.c_str(), bad, expected.size());
}

void check_head(const Safetensors& cases, const Safetensors& checkpoint) {
  const reference::Head head = reference::head_of(checkpoint, GTR_PRECISION_F32);
  const Values x = cases.values("head.x");
  const Values z = cases.values("head.z");
  const auto t = cases.get("head.t").integers();
  Values out;
  for (size_t row = 0; row < t.size(); ++row) {
    const auto at = static_cast<std::ptrdiff_t>(row);
    const Values result = reference::head_forward(
        head, {x.begin() + at * head.channels, x.begin() + (at + 1) * head.channels}, static_cast<int>(t[row]),
        {z.begin() + at * head.condition, z.begin() + (at + 1) * head.condition});
    out.insert(out.end(), result.begin(), result.end());
  }
  check_norm("head", out, cases.values("head.out"), 1e-6);
}

void check_chain(const Safetensors& cases, const reference::Head& head, const std::string& cells,
                 const std::string& expected, int steps, double cfg, double temperature, double x0_clip) {
  const auto cell = cases.get(cells + ".cell").integers();
  const auto image = cases.get(cells + ".image").integers();
  const Values z = cases.values(cells + ".z");
  Values x0;
  for (size_t row = 0; row < cell.size(); ++row) {
    const auto z_row = [&](size_t r) {
      const auto at = static_cast<std::ptrdiff_t>(r) * head.condition;
      return Values(z.begin() + at, z.begin() + at + head.condition);
    };
    reference::ChainRow chain{};
    chain.steps = steps;
    chain.guided = cfg != 1;
    chain.seed = static_cast<uint64_t>(cases.get("chain.seed").integers()[0]);
    chain.image = static_cast<uint32_t>(image[row]);
    chain.cell = static_cast<uint32_t>(cell[row]);
    chain.cfg = cfg;
    chain.temperature = temperature;
    chain.z = z_row(row);
    if (chain.guided) chain.z_unconditional = z_row(cell.size() + row);
    const Values result = reference::head_chain(head, chain, x0_clip);
    x0.insert(x0.end(), result.begin(), result.end());
  }
  check_norm(expected, x0, cases.values(expected), 1e-5);
}

void check_diffusion(const Safetensors& cases, int steps) {
  const std::string prefix = "diffusion" + std::to_string(steps) + ".";
  const auto table = reference::diffusion_table(steps);
  const auto check = [&](const char* name, double relative, double (*field)(const reference::DiffusionStep&)) {
    Values values;
    for (const auto& step : table) values.push_back(field(step));
    check_each(prefix + name, values, cases.values(prefix + name), relative);
  };
  using Step = reference::DiffusionStep;
  check("timestep", 0, [](const Step& s) { return static_cast<double>(s.base_step); });
  check("beta", 1e-11, [](const Step& s) { return s.beta; });
  check("acp", 1e-12, [](const Step& s) { return s.alpha_bar; });
  check("minlog", 1e-11, [](const Step& s) { return s.min_log_variance; });
  check("maxlog", 1e-11, [](const Step& s) { return s.max_log_variance; });
  check("c1", 1e-11, [](const Step& s) { return s.x0_coefficient; });
  check("c2", 1e-11, [](const Step& s) { return s.x_coefficient; });
  check("r", 1e-12, [](const Step& s) { return s.reciprocal_root; });
  check("rm1", 1e-11, [](const Step& s) { return s.reciprocal_root_minus_1; });
}

void check_attention(const Safetensors& cases, const std::string& prefix) {
  const auto& q = cases.get(prefix + ".q").shape;
  const reference::AttentionShape shape{q[0], q[1], cases.get(prefix + ".k").shape[1], q[2], q[3]};
  const double scale = 1 / std::sqrt(static_cast<double>(shape.head_dim));
  const auto run = [&](const std::vector<int64_t>& lengths, const Values& mask) {
    return reference::attention(shape, scale, cases.values(prefix + ".q"), cases.values(prefix + ".k"),
                                cases.values(prefix + ".v"), GTR_PRECISION_F32, lengths, mask);
  };
  check_norm(prefix + ".out_lengths", run(cases.get(prefix + ".key_lengths").integers(), {}),
             cases.values(prefix + ".out_lengths"), 1e-6);
  const Values narrow = cases.values(prefix + ".mask");
  Values mask;
  const auto row = static_cast<std::ptrdiff_t>(shape.query_length * shape.key_length);
  for (std::ptrdiff_t b = 0; b < shape.batch; ++b) {
    for (int64_t h = 0; h < shape.heads; ++h) {
      mask.insert(mask.end(), narrow.begin() + b * row, narrow.begin() + (b + 1) * row);
    }
  }
  check_norm(prefix + ".out_mask", run({}, mask), cases.values(prefix + ".out_mask"), 1e-6);
}

void check_noise(const Safetensors& cases) {
  const auto seed = static_cast<uint64_t>(cases.get("noise.seed").integers()[0]);
  const auto image = cases.get("noise.image").integers();
  const auto cell = cases.get("noise.cell").integers();
  Values words;
  for (size_t i = 0; i < cell.size(); ++i) {
    for (const uint32_t word :
         reference::philox(seed, {0, 0, static_cast<uint32_t>(cell[i]), static_cast<uint32_t>(image[i])})) {
      words.push_back(word);
    }
  }
  check_each("noise.raw_words", words, cases.values("noise.raw_words_draw0_block0"), 0);
  for (const uint32_t draw : {0u, 1u, 100u}) {
    const std::string name = "noise.draw" + std::to_string(draw);
    Values values;
    for (size_t i = 0; i < cell.size(); ++i) {
      for (int64_t channel = 0; channel < cases.get(name).shape[1]; ++channel) {
        values.push_back(static_cast<float>(
            reference::noise(seed, static_cast<uint32_t>(image[i]), static_cast<uint32_t>(cell[i]), draw, channel)));
      }
    }
    check_each(name, values, cases.values(name), 0);
  }
}

int run() {
  const std::string folder = GTR_TEST_GOLDEN_FOLDER;
  const Safetensors tiny_cases = Safetensors::read(folder + "/tiny_cases.safetensors");
  const Safetensors tiny = Safetensors::read(folder + "/tiny.safetensors");
  const Safetensors fashion_cases = Safetensors::read(folder + "/fashion_cases.safetensors");
  const Safetensors fashion = Safetensors::read(GTR_TEST_MODEL_FILE);

  check_head(tiny_cases, tiny);
  const reference::Head tiny_head = reference::head_of(tiny, GTR_PRECISION_F32);
  const double temperature = tiny_cases.values("chain.temperature")[0];
  check_chain(tiny_cases, tiny_head, "chain", "chain.x0_T1", 1, 1, temperature, 0);
  check_chain(tiny_cases, tiny_head, "chain_guided", "chain_guided.x0_T1", 1, tiny_cases.values("chain_guided.cfg")[0],
              temperature, 0);
  const reference::Head fashion_head = reference::head_of(fashion, GTR_PRECISION_F32);
  const double clip = std::stod(fashion.metadata().at("x0_clip"));
  for (const int steps : {1, 2, 5, 20, 50, 100}) {
    const std::string t = ".x0_T" + std::to_string(steps);
    check_chain(fashion_cases, fashion_head, "chain", "chain.cfg1" + t, steps, 1, 1, clip);
    check_chain(fashion_cases, fashion_head, "chain", "chain.cfg3" + t, steps, 3, static_cast<double>(0.9f), clip);
  }
  for (const int steps : {5, 20}) {
    check_chain(fashion_cases, fashion_head, "chain", "chain.noclip.cfg1.x0_T" + std::to_string(steps), steps, 1, 1, 0);
  }
  for (int steps = 1; steps <= 1000; ++steps) {
    if (tiny_cases.has("diffusion" + std::to_string(steps) + ".beta")) check_diffusion(tiny_cases, steps);
  }
  for (const int dim : {16, 64, 80}) check_attention(tiny_cases, "attention.d" + std::to_string(dim));
  for (const int dim : {5, 64, 192, 768, 1024, 1280, 1536}) {
    const std::string prefix = "frequency.d" + std::to_string(dim);
    check_norm(prefix, reference::frequency_energy(tiny_cases.values(prefix + ".z"), dim),
               tiny_cases.values(prefix + ".score"), 1e-6);
  }
  check_noise(tiny_cases);
  std::printf("%s: %d failed\n", failures ? "FAILED" : "passed", failures);
  return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

}  // namespace
}  // namespace gtr::test

int main() {
  try {
    return gtr::test::run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gtr-test-reference: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
