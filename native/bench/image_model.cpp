#include "image_model.h"

namespace gtr::bench {

LinearWeights::LinearWeights(const Session& session, int64_t outputs, int64_t inputs, gtr_precision precision) {
  const Matrix weight(session, outputs, inputs, GTR_F32, GTR_MEMORY_HOST);
  const Matrix bias(session, 1, outputs, GTR_F32, GTR_MEMORY_HOST);
  const gtr_tensor bias_vector = bias.vector();
  check(gtr_linear_create(session.device(), outputs, inputs, precision, &handle_));
  check(gtr_linear_set(handle_, 0, &weight.tensor(), &bias_vector));
}

int64_t LinearWeights::scratch_size(int64_t rows) const {
  int64_t bytes = 0;
  check(gtr_linear_scratch_size(handle_, rows, &bytes));
  return bytes;
}

BlockWeights::BlockWeights(const Session& session, const Model& model, gtr_precision precision)
    : qkv(session, 3 * model.width, model.width, precision),
      proj(session, model.width, model.width, precision),
      fc1(session, 4 * model.width, model.width, precision),
      fc2(session, model.width, 4 * model.width, precision) {}

ImageModel::ImageModel(const Session& session, const Model& shape_of_model, gtr_precision precision_of_model)
    : shape(shape_of_model),
      precision(precision_of_model),
      z_proj(session, shape.width, kChannels, GTR_PRECISION_F32),
      norm(session, 1, shape.width),
      classes(session, shape.classes + 1, shape.width),
      encoder_positions(session, shape.places(), shape.width),
      decoder_embed(session, shape.width, shape.width, precision),
      mask_token(session, 1, shape.width),
      decoder_positions(session, shape.places(), shape.width),
      diffusion_positions(session, shape.tokens(), shape.width),
      head(session, head_shape(shape), precision) {
  for (int32_t i = 0; i < shape.blocks; ++i) {
    encoder.push_back(std::make_unique<BlockWeights>(session, shape, precision));
    decoder.push_back(std::make_unique<BlockWeights>(session, shape, precision));
  }
}

}  // namespace gtr::bench
