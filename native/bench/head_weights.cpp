#include "head_weights.h"

#include "matrix.h"

namespace gtr::bench {
namespace {

// Of the last layer's weights: so small that a chain's numbers stay finite over all of its steps.
constexpr float kLastScale = 0x1p-6f;

}  // namespace

gtr_head_shape head_shape(const Model& model) {
  return {kChannels, static_cast<int32_t>(model.width), model.head_width, model.head_blocks};
}

HeadWeights::HeadWeights(const Session& session, const gtr_head_shape& shape, gtr_precision precision)
    : session_(session) {
  check(gtr_head_create(session.device(), &shape, precision, &handle_));
  const int64_t w = shape.width;
  set_linear("time_embed.mlp.0", w, 256);
  set_linear("time_embed.mlp.2", w, w);
  set_linear("cond_embed", w, shape.condition);
  set_linear("input_proj", w, shape.channels);
  for (int32_t block = 0; block < shape.blocks; ++block) {
    const std::string prefix = "res_blocks." + std::to_string(block) + ".";
    set_vector(prefix + "in_ln.weight", w);
    set_vector(prefix + "in_ln.bias", w);
    set_linear(prefix + "mlp.0", w, w);
    set_linear(prefix + "mlp.2", w, w);
    set_linear(prefix + "adaLN_modulation.1", 3 * w, w);
  }
  set_linear("final_layer.adaLN_modulation.1", 2 * w, w);
  set_linear("final_layer.linear", 2 * shape.channels, w, kLastScale);
}

HeadWeights::~HeadWeights() { gtr_head_destroy(handle_); }

void HeadWeights::set_linear(const std::string& name, int64_t outputs, int64_t inputs, float scale) {
  const Matrix weight(session_, outputs, inputs, GTR_F32, GTR_MEMORY_HOST, scale);
  check(gtr_head_set(handle_, (name + ".weight").c_str(), 0, &weight.tensor()));
  set_vector(name + ".bias", outputs);
}

void HeadWeights::set_vector(const std::string& name, int64_t size) {
  const Matrix values(session_, 1, size, GTR_F32, GTR_MEMORY_HOST);
  const gtr_tensor vector = values.vector();
  check(gtr_head_set(handle_, name.c_str(), 0, &vector));
}

}  // namespace gtr::bench
