#include "image_model.h"

namespace gtr::bench {

LinearWeights::LinearWeights(const Runner& runner, int64_t outputs, int64_t inputs, gtr_precision precision) {
  const Matrix weight(runner, outputs, inputs, GTR_F32, GTR_MEMORY_HOST);
  const Matrix bias(runner, 1, outputs, GTR_F32, GTR_MEMORY_HOST);
  const gtr_tensor bias_vector = bias.vector();
  check(gtr_linear_create(runner.device(), outputs, inputs, precision, &handle_));
  check(gtr_linear_set(handle_, 0, &weight.tensor(), &bias_vector));
}

int64_t LinearWeights::scratch_size(int64_t rows) const {
  int64_t bytes = 0;
  check(gtr_linear_scratch_size(handle_, rows, &bytes));
  return bytes;
}

BlockWeights::BlockWeights(const Runner& runner, const Model& model, gtr_precision precision)
    : qkv(runner, 3 * model.width, model.width, precision),
      proj(runner, model.width, model.width, precision),
      fc1(runner, 4 * model.width, model.width, precision),
      fc2(runner, model.width, 4 * model.width, precision) {}

ImageModel::ImageModel(const Runner& runner, const Model& shape_of_model, gtr_precision precision_of_model)
    : shape(shape_of_model),
      precision(precision_of_model),
      z_proj(runner, shape.width, kChannels, GTR_PRECISION_F32),
      norm(runner, 1, shape.width),
      classes(runner, shape.classes + 1, shape.width),
      encoder_positions(runner, shape.places(), shape.width),
      decoder_embed(runner, shape.width, shape.width, precision),
      mask_token(runner, 1, shape.width),
      decoder_positions(runner, shape.places(), shape.width),
      diffusion_positions(runner, shape.tokens(), shape.width),
      head(runner, head_shape(shape), precision) {
  for (int32_t i = 0; i < shape.blocks; ++i) {
    encoder.push_back(std::make_unique<BlockWeights>(runner, shape, precision));
    decoder.push_back(std::make_unique<BlockWeights>(runner, shape, precision));
  }
}

}  // namespace gtr::bench
