// A whole MAR model with random weights.
#pragma once

#include <memory>
#include <vector>

#include "gtr/gtr.h"
#include "head_weights.h"
#include "matrix.h"
#include "models.h"
#include "session.h"

namespace gtr::bench {

class LinearWeights {
 public:
  LinearWeights(const Session& session, int64_t outputs, int64_t inputs, gtr_precision precision);
  ~LinearWeights() { gtr_linear_destroy(handle_); }
  LinearWeights(const LinearWeights&) = delete;
  LinearWeights& operator=(const LinearWeights&) = delete;

  const gtr_linear_weights* get() const { return handle_; }
  int64_t scratch_size(int64_t rows) const;

 private:
  gtr_linear_weights* handle_ = nullptr;
};

// x += proj(attention(qkv(norm1(x)))), x += fc2(gelu(fc1(norm2(x)))).
struct BlockWeights {
  BlockWeights(const Session& session, const Model& model, gtr_precision precision);

  LinearWeights qkv;
  LinearWeights proj;
  LinearWeights fc1;
  LinearWeights fc2;
};

struct ImageModel {
  ImageModel(const Session& session, const Model& shape_of_model, gtr_precision precision_of_model);

  Model shape;
  gtr_precision precision;
  LinearWeights z_proj;  // float in any precision
  Matrix norm;           // weight and bias of every layer norm, [1, width]
  Matrix classes;        // [classes + 1, width]
  Matrix encoder_positions;
  LinearWeights decoder_embed;
  Matrix mask_token;  // [1, width]
  Matrix decoder_positions;
  Matrix diffusion_positions;
  std::vector<std::unique_ptr<BlockWeights>> encoder;
  std::vector<std::unique_ptr<BlockWeights>> decoder;
  HeadWeights head;
};

}  // namespace gtr::bench
