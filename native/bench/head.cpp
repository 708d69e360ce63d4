// The diffusion head of MAR-B, L and H: whole guided chains over the rows of a decode step.
#include <memory>
#include <string>
#include <vector>

#include "head_weights.h"
#include "matrix.h"
#include "models.h"
#include "runner.h"

namespace gtr::bench {
namespace {

struct Rows {
  int32_t rows;
  int32_t steps;
};

// On the CPU so many reverse steps: enough to show the cost of one, which is that of any other.
constexpr int32_t kCpuSteps = 5;
constexpr Rows kCpuRows[] = {{5, kCpuSteps}, {32, kCpuSteps}, {128, kCpuSteps}};
// The first, a middle and the last decode step of one image by GtR 12,3,1, and 4, 16 and 32 images at once in the last.
constexpr Rows kCardRows[] = {{5, 50}, {21, 25}, {128, 20}, {512, 20}, {2048, 20}, {4096, 20}};
constexpr Rows kSmallRows[] = {{3, 2}};

// What a chain of guided rows has to compute and to move.
struct Work {
  double flops;
  double bytes;
};

// What a CPU's chain is counted as, in the recorded tables, too: every product of the head in each step, and of the
// weights those that each step needs anew.
Work cpu_work(const gtr_head_shape& shape, const Rows& chain, double element) {
  const double w = shape.width;
  const double d = shape.condition;
  const double channels = shape.channels;
  const double products =
      channels * w + d * w + 5 * shape.blocks * w * w + 2 * w * w + 2 * w * channels + 256 * w + w * w;
  return {2 * chain.steps * 2.0 * chain.rows * products, chain.steps * (2 * shape.blocks * w * w * element)};
}

// The least that a card has to do: the condition's embedding once per row, the time's once per step, the modulations'
// weights once, and the modulations, in the precision's type, written and read.
Work card_work(const gtr_head_shape& shape, const Rows& chain, double element) {
  const double w = shape.width;
  const double halves = 2.0 * chain.rows;
  const double squares = 2 * shape.blocks * w * w;
  const double modulations = (3 * shape.blocks + 2) * w;
  const double row_step = shape.channels * w + squares + modulations * w + 2 * w * shape.channels;
  const double flops =
      2 * (halves * chain.steps * row_step + halves * shape.condition * w + chain.steps * (256 * w + w * w));
  const double bytes = element * (chain.steps * squares + modulations * w + 2 * halves * chain.steps * modulations);
  return {flops, bytes};
}

void measure_chain(Runner& runner, const Case& c, const gtr_head_shape& shape, const HeadWeights& head,
                   const Rows& measured) {
  const int64_t rows = measured.rows;
  const Matrix z(runner, rows, shape.condition);
  const Matrix z_unconditional(runner, rows, shape.condition);
  const Matrix x(runner, rows, shape.channels);
  const uint64_t seed_value = 1;
  const uint32_t image_value = 0;
  const float cfg_value = 3;
  const float temperature_value = 1;
  const Array seeds(runner, GTR_U64, &seed_value, 1);
  const Array images(runner, GTR_U32, &image_value, 1);
  const Array cfgs(runner, GTR_F32, &cfg_value, 1);
  const Array temperatures(runner, GTR_F32, &temperature_value, 1);
  std::vector<uint32_t> cell_values(static_cast<size_t>(rows));
  for (size_t row = 0; row < cell_values.size(); ++row) {
    cell_values[row] = static_cast<uint32_t>(row);
  }
  const Array cells(runner, GTR_U32, cell_values.data(), rows);
  const gtr_tensor seed = seeds.broadcast(rows);
  const gtr_tensor image = images.broadcast(rows);
  const gtr_tensor cfg = cfgs.broadcast(rows);
  const gtr_tensor temperature = temperatures.broadcast(rows);
  const gtr_chain_group group{measured.rows, measured.steps, 1};
  gtr_chain chain{};
  chain.groups = &group;
  chain.group_count = 1;
  chain.z = &z.tensor();
  chain.z_unconditional = &z_unconditional.tensor();
  chain.seed = &seed;
  chain.image = &image;
  chain.cell = &cells.tensor();
  chain.cfg = &cfg;
  chain.temperature = &temperature;
  int64_t scratch_size = 0;
  check(gtr_head_chain_scratch_size(head.get(), &chain, &scratch_size));
  const Scratch scratch(runner, scratch_size);
  runner.measure(c, [&](int64_t) {
    check(gtr_head_chain(runner.stream(), head.get(), &chain, &x.tensor(), scratch.data(), scratch.size()));
  });
}

void bench_model(Runner& runner, const Model& model, gtr_precision precision, const std::vector<Rows>& list) {
  const gtr_head_shape shape = head_shape(model);
  const double element = precision == GTR_PRECISION_F32 ? 4 : 2;
  std::unique_ptr<HeadWeights> head;
  for (const Rows& chain : list) {
    const Work work = runner.has_card_cases() ? card_work(shape, chain, element) : cpu_work(shape, chain, element);
    const Case c{"head chain",
                 std::string(model.name) + ", " + std::to_string(chain.rows) + " guided rows, " +
                     std::to_string(chain.steps) + " steps",
                 precision,
                 work.flops,
                 work.bytes,
                 "rows=" + std::to_string(chain.rows) + " steps=" + std::to_string(chain.steps) +
                     " channels=" + std::to_string(shape.channels) + " condition=" + std::to_string(shape.condition) +
                     " width=" + std::to_string(shape.width) + " blocks=" + std::to_string(shape.blocks)};
    if (!runner.wants(c)) {
      continue;
    }
    if (head == nullptr) {
      head = std::make_unique<HeadWeights>(runner, shape, precision);
    }
    measure_chain(runner, c, shape, *head, chain);
  }
}

}  // namespace

void bench_head(Runner& runner) {
  std::vector<Rows> list(std::begin(kCpuRows), std::end(kCpuRows));
  if (runner.is_small()) {
    list.assign(std::begin(kSmallRows), std::end(kSmallRows));
  } else if (runner.has_card_cases()) {
    list.assign(std::begin(kCardRows), std::end(kCardRows));
  }
  for (const Model& model : runner.models()) {
    for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
      bench_model(runner, model, precision, list);
    }
  }
}

}  // namespace gtr::bench
