#include "reference/head.h"

#include <algorithm>
#include <cmath>

#include "reference/diffusion.h"
#include "reference/layer_norm.h"
#include "reference/linear.h"
#include "reference/noise.h"

namespace gtr::test::reference {
namespace {

constexpr int64_t kTimeWidth = 256;
constexpr double kEpsilon = 1e-6;

Values apply(const Head& head, const std::string& name, const Values& x, gtr_precision precision) {
  const Values& weight = head.tensors.at(name + ".weight");
  const Values& bias = head.tensors.at(name + ".bias");
  return linear(x, weight, bias, static_cast<int64_t>(x.size()), static_cast<int64_t>(bias.size()), precision);
}

Values silu(Values values) {
  for (double& value : values) value = activate(GTR_ACTIVATION_SILU, value);
  return values;
}

Values third(const Values& values, int64_t which, int64_t width) {
  return {values.begin() + which * width, values.begin() + (which + 1) * width};
}

}  // namespace

std::vector<std::pair<std::string, std::vector<int64_t>>> head_tensors(int64_t channels, int64_t condition,
                                                                       int64_t width, int64_t blocks) {
  std::vector<std::pair<std::string, std::vector<int64_t>>> tensors;
  const auto add = [&](const std::string& name, int64_t outputs, int64_t inputs) {
    tensors.push_back({name + ".weight", {outputs, inputs}});
    tensors.push_back({name + ".bias", {outputs}});
  };
  add("time_embed.mlp.0", width, kTimeWidth);
  add("time_embed.mlp.2", width, width);
  add("cond_embed", width, condition);
  add("input_proj", width, channels);
  for (int64_t block = 0; block < blocks; ++block) {
    const std::string prefix = "res_blocks." + std::to_string(block);
    tensors.push_back({prefix + ".in_ln.weight", {width}});
    tensors.push_back({prefix + ".in_ln.bias", {width}});
    add(prefix + ".mlp.0", width, width);
    add(prefix + ".mlp.2", width, width);
    add(prefix + ".adaLN_modulation.1", 3 * width, width);
  }
  add("final_layer.adaLN_modulation.1", 2 * width, width);
  add("final_layer.linear", 2 * channels, width);
  return tensors;
}

Values timestep_embedding(int base_step) {
  Values embedding(static_cast<size_t>(kTimeWidth));
  const size_t half = embedding.size() / 2;
  for (size_t i = 0; i < half; ++i) {
    const float exponent = static_cast<float>(-std::log(10000.0)) * static_cast<float>(i) / static_cast<float>(half);
    const auto frequency = static_cast<float>(std::exp(static_cast<double>(exponent)));
    const double angle = static_cast<double>(static_cast<float>(base_step) * frequency);
    embedding[i] = std::cos(angle);
    embedding[half + i] = std::sin(angle);
  }
  return embedding;
}

Values head_forward(const Head& head, const Values& x, int base_step, const Values& z) {
  const gtr_precision full = GTR_PRECISION_F32;
  Values y =
      apply(head, "time_embed.mlp.2", silu(apply(head, "time_embed.mlp.0", timestep_embedding(base_step), full)), full);
  const Values condition = apply(head, "cond_embed", z, full);
  for (size_t i = 0; i < y.size(); ++i) y[i] += condition[i];
  const Values modulator = silu(y);

  const int64_t width = head.width;
  Values h = apply(head, "input_proj", x, full);
  for (int64_t block = 0; block < head.blocks; ++block) {
    const std::string prefix = "res_blocks." + std::to_string(block);
    const Values modulation = apply(head, prefix + ".adaLN_modulation.1", modulator, head.precision);
    const Values shift = third(modulation, 0, width);
    const Values scale = third(modulation, 1, width);
    const Values gate = third(modulation, 2, width);
    Values inner = layer_norm(h, width, kEpsilon, head.tensors.at(prefix + ".in_ln.weight"),
                              head.tensors.at(prefix + ".in_ln.bias"), scale, shift);
    inner = silu(apply(head, prefix + ".mlp.0", inner, head.precision));
    inner = apply(head, prefix + ".mlp.2", inner, head.precision);
    for (size_t i = 0; i < h.size(); ++i) h[i] += gate[i] * inner[i];
  }
  const Values modulation = apply(head, "final_layer.adaLN_modulation.1", modulator, head.precision);
  const Values last = layer_norm(h, width, kEpsilon, {}, {}, third(modulation, 1, width), third(modulation, 0, width));
  return apply(head, "final_layer.linear", last, full);
}

Values head_step(const Head& head, const ChainRow& row, double x0_clip, int index, const Values& x,
                 double epsilon_error) {
  const DiffusionStep step = diffusion_table(row.steps)[static_cast<size_t>(index)];
  const auto channels = static_cast<size_t>(head.channels);
  const Values conditional = head_forward(head, x, step.base_step, row.z);
  Values epsilon(conditional.begin(), conditional.begin() + head.channels);
  if (row.guided) {
    const Values unconditional = head_forward(head, x, step.base_step, row.z_unconditional);
    for (size_t c = 0; c < channels; ++c) epsilon[c] = unconditional[c] + row.cfg * (epsilon[c] - unconditional[c]);
  }
  for (size_t c = 0; c < channels; ++c) epsilon[c] *= 1 + (c % 2 == 0 ? epsilon_error : -epsilon_error);
  Values next(channels);
  for (size_t c = 0; c < channels; ++c) {
    const double fraction = (conditional[channels + c] + 1) / 2;
    const double log_variance = fraction * step.max_log_variance + (1 - fraction) * step.min_log_variance;
    double x0 = step.reciprocal_root * x[c] - step.reciprocal_root_minus_1 * epsilon[c];
    if (x0_clip > 0) x0 = std::min(std::max(x0, -x0_clip), x0_clip);
    next[c] = step.x0_coefficient * x0 + step.x_coefficient * x[c];
    if (index > 0) {
      // The reverse step s of a row, 0 being its first, draws s + 1.
      const auto draw = static_cast<uint32_t>(row.steps - index);
      next[c] += std::exp(0.5 * log_variance) * row.temperature *
                 noise(row.seed, row.image, row.cell, draw, static_cast<int64_t>(c));
    }
  }
  return next;
}

Values head_chain(const Head& head, const ChainRow& row, double x0_clip, double epsilon_error) {
  Values x(static_cast<size_t>(head.channels));
  for (size_t c = 0; c < x.size(); ++c) x[c] = noise(row.seed, row.image, row.cell, 0, static_cast<int64_t>(c));
  for (int index = row.steps - 1; index >= 0; --index) {
    x = head_step(head, row, x0_clip, index, x, epsilon_error);
  }
  return x;
}

}  // namespace gtr::test::reference
