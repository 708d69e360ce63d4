// attention of MAR-B, L and H: a guided image is a batch of two, the decoder sees all tokens, the encoder those known.
#include <cmath>
#include <string>

#include "matrix.h"
#include "models.h"
#include "runner.h"

namespace gtr::bench {
namespace {

struct Shape {
  const char* name;
  int64_t batch;
  int64_t length;
};

constexpr Shape kShapes[] = {{"decoder, one image", 2, kBuffer + kTokens},
                             {"decoder, 8 images", 16, kBuffer + kTokens},
                             {"encoder at half, one image", 2, kBuffer + kTokens / 2}};

// Part 0, 1 or 2 (q, k, v) of rows that hold all three, as the model has them.
gtr_tensor part_of(const Matrix& qkv, int64_t part, const Shape& shape, int64_t heads) {
  gtr_tensor tensor = qkv.tensor();
  const int64_t width = tensor.shape[1] / 3;
  const int64_t skipped = part * width * (tensor.dtype == GTR_F32 ? 4 : 2);
  tensor.data = static_cast<char*>(tensor.data) + skipped;
  tensor.size -= skipped;
  tensor.rank = 4;
  const int64_t shapes[] = {shape.batch, shape.length, heads, width / heads};
  const int64_t strides[] = {shape.length * 3 * width, 3 * width, width / heads, 1};
  for (int i = 0; i < 4; ++i) {
    tensor.shape[i] = shapes[i];
    tensor.stride[i] = strides[i];
  }
  return tensor;
}

void bench_shape(Runner& runner, const Model& model, const Shape& shape, gtr_precision precision) {
  const int64_t head_dim = model.width / model.heads;
  const Case c{"attention", std::string(model.name) + " " + shape.name, precision,
               4.0 * static_cast<double>(shape.batch * shape.length * shape.length * model.width), 0};
  if (!runner.wants(c)) {
    return;
  }
  const gtr_dtype dtype = precision == GTR_PRECISION_F32 ? GTR_F32 : GTR_BF16;
  const Matrix qkv(runner.device(), shape.batch * shape.length, 3 * model.width, dtype);
  const Matrix out_rows(runner.device(), shape.batch * shape.length, model.width, dtype);
  const gtr_tensor q = part_of(qkv, 0, shape, model.heads);
  const gtr_tensor k = part_of(qkv, 1, shape, model.heads);
  const gtr_tensor v = part_of(qkv, 2, shape, model.heads);
  gtr_tensor out = q;
  out.data = out_rows.tensor().data;
  out.size = out_rows.tensor().size;
  out.stride[0] = shape.length * model.width;
  out.stride[1] = model.width;
  int64_t scratch_size = 0;
  check(gtr_attention_scratch_size(runner.device(), precision, shape.batch, shape.length, shape.length, model.heads,
                                   head_dim, &scratch_size));
  const Matrix scratch(runner.device(), 1, scratch_size / 4 + 1);
  const double scale = 1 / std::sqrt(static_cast<double>(head_dim));
  runner.measure(c, [&](int64_t) {
    check(gtr_attention(runner.stream(), precision, scale, &q, &k, &v, nullptr, nullptr, nullptr, &out,
                        scratch.tensor().data, scratch.tensor().size));
  });
}

}  // namespace

void bench_attention(Runner& runner) {
  for (const Model& model : kModels) {
    for (const Shape& shape : kShapes) {
      for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
        bench_shape(runner, model, shape, precision);
      }
    }
  }
}

}  // namespace gtr::bench
