#include "plan.h"

#include <algorithm>
#include <cmath>

namespace gtr::bench {
namespace {

// The stage of a cell by its diagonal, in decode order: T_k, whose diagonals have k - 1 factors of two, is stage K - k.
int32_t stage_of(int64_t diagonal, int32_t stages) {
  int32_t twos = 0;
  while (twos < stages - 1 && (diagonal >> twos) % 2 == 0) {
    ++twos;
  }
  return stages - 1 - twos;
}

class Builder {
 public:
  explicit Builder(std::string name) { plan_.name = std::move(name); }

  void add(const std::vector<int32_t>& cells, int32_t diffusion_steps, int32_t detail_tokens, int32_t detail_steps) {
    plan_.steps.push_back({known_, cells, diffusion_steps, detail_tokens, detail_steps});
    known_.insert(known_.end(), cells.begin(), cells.end());
    std::sort(known_.begin(), known_.end());
  }

  Plan take() { return std::move(plan_); }

 private:
  Plan plan_;
  std::vector<int32_t> known_;
};

std::vector<int32_t> part(const std::vector<int32_t>& cells, size_t from, size_t to) {
  return {cells.begin() + static_cast<std::ptrdiff_t>(from), cells.begin() + static_cast<std::ptrdiff_t>(to)};
}

}  // namespace

Plan gtr_plan(int64_t grid, const GtrNumbers& numbers) {
  std::string name = "GtR ";
  const auto stages = static_cast<int32_t>(numbers.steps.size());
  int32_t generation_steps = 0;
  for (int32_t stage = 0; stage < stages; ++stage) {
    const int32_t steps = numbers.steps[static_cast<size_t>(stage)];
    name += (stage == 0 ? "" : ",") + std::to_string(steps);
    generation_steps += stage < stages - 1 ? steps : 0;
  }
  std::vector<std::vector<int32_t>> cells(static_cast<size_t>(stages));
  for (int64_t row = 0; row < grid; ++row) {
    for (int64_t column = 0; column < grid; ++column) {
      cells[static_cast<size_t>(stage_of(row + column, stages))].push_back(static_cast<int32_t>(row * grid + column));
    }
  }
  Builder builder(name);
  int64_t g = 0;
  for (size_t stage = 0; stage < cells.size(); ++stage) {
    const auto steps = static_cast<size_t>(numbers.steps[stage]);
    const size_t count = cells[stage].size();
    for (size_t i = 0; i < steps; ++i) {
      const std::vector<int32_t> decoded = part(cells[stage], count * i / steps, count * (i + 1) / steps);
      if (stage + 1 == cells.size()) {
        const double share = numbers.detail_fraction * static_cast<double>(decoded.size());
        const int32_t detail = std::max(1, static_cast<int32_t>(std::floor(share + 0.5)));
        builder.add(decoded, numbers.reconstruction_diffusion_steps, detail, numbers.detail_diffusion_steps);
        continue;
      }
      const int64_t last = generation_steps - 1;
      const int64_t most = numbers.most_diffusion_steps;
      const int64_t least = numbers.least_diffusion_steps;
      const int64_t steps_now = last == 0 ? most : (2 * most * last + 2 * (least - most) * g + last) / (2 * last);
      ++g;
      builder.add(decoded, static_cast<int32_t>(steps_now), 0, 0);
    }
  }
  return builder.take();
}

Plan default_gtr_plan(int64_t grid) { return gtr_plan(grid, {{12, 3, 1}, 50, 20, 20, 50, 0.1}); }

Plan small_gtr_plan(int64_t grid) { return gtr_plan(grid, {{2, 1, 1}, 4, 2, 2, 3, 0.1}); }

Plan mar_plan(int64_t grid, int32_t steps, int32_t diffusion_steps) {
  const auto tokens = static_cast<int32_t>(grid * grid);
  // A random order would do no more here than this one, which strides through the grid.
  std::vector<int32_t> order;
  constexpr int32_t kStride = 97;
  for (int32_t i = 0; i < tokens; ++i) {
    order.push_back(i * kStride % tokens);
  }
  Builder builder("MAR " + std::to_string(steps) + " x " + std::to_string(diffusion_steps));
  int32_t left = tokens;
  for (int32_t s = 0; s < steps; ++s) {
    const double share = std::cos(M_PI / 2 * (s + 1) / steps);
    const int32_t masked = std::max(1, std::min(left - 1, static_cast<int32_t>(std::floor(tokens * share))));
    const int32_t after = s == steps - 1 ? 0 : masked;
    builder.add(part(order, static_cast<size_t>(tokens - left), static_cast<size_t>(tokens - after)), diffusion_steps,
                0, 0);
    left = after;
  }
  return builder.take();
}

ImageFlops image_flops(const Model& model, const Plan& plan) {
  const auto width = static_cast<double>(model.width);
  const auto tokens = static_cast<double>(model.tokens());
  const auto buffer = static_cast<double>(model.buffer);
  const double w = model.head_width;
  const auto block = [&](double n) { return 24 * n * width * width + 4 * n * n * width; };
  const double row =
      2 * (kChannels * w + width * w + 5 * model.head_blocks * w * w + 2 * w * w + 2 * w * kChannels + 256 * w + w * w);
  ImageFlops flops{};
  for (const DecodeStep& step : plan.steps) {
    const double places = buffer + static_cast<double>(step.known.size());
    const int32_t rest = static_cast<int32_t>(step.cells.size()) - step.detail_tokens;
    const int32_t row_steps = rest * step.diffusion_steps + step.detail_tokens * step.detail_diffusion_steps;
    flops.backbone += model.blocks * (block(places) + block(buffer + tokens)) + 2 * places * width * width +
                      2 * tokens * kChannels * width;
    flops.head += row_steps * row;
  }
  return {2 * flops.backbone, 2 * flops.head};
}

}  // namespace gtr::bench
