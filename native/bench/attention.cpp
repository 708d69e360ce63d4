// attention of MAR-B, L and H: a guided image is a batch of two, the decoder sees all tokens, the encoder those known.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "matrix.h"
#include "models.h"
#include "runner.h"

namespace gtr::bench {
namespace {

struct Shape {
  std::string name;
  int64_t batch;
  int64_t queries;
  int64_t keys;
  int64_t heads;
  int64_t head_dim;
  bool ragged;  // key lengths from a fifth of the keys to all of them, as of images at different decode steps
};

// Columns part * width .. of rows that hold q, k and v, as the model has them.
gtr_tensor part_of(const Matrix& rows, int64_t part, const Shape& shape, int64_t length) {
  gtr_tensor tensor = rows.tensor();
  const int64_t width = shape.heads * shape.head_dim;
  const int64_t row = tensor.stride[0];
  const int64_t skipped = part * width * (tensor.dtype == GTR_F32 ? 4 : 2);
  tensor.data = static_cast<char*>(tensor.data) + skipped;
  tensor.size -= skipped;
  tensor.rank = 4;
  const int64_t shapes[] = {shape.batch, length, shape.heads, shape.head_dim};
  const int64_t strides[] = {length * row, row, shape.head_dim, 1};
  for (int i = 0; i < 4; ++i) {
    tensor.shape[i] = shapes[i];
    tensor.stride[i] = strides[i];
  }
  return tensor;
}

std::vector<int32_t> lengths_of(const Shape& shape) {
  std::vector<int32_t> lengths(static_cast<size_t>(shape.batch), static_cast<int32_t>(shape.keys));
  for (size_t i = 0; shape.ragged && i < lengths.size(); ++i) {
    const int64_t least = shape.keys / 5;
    const int64_t steps = std::max<int64_t>(1, shape.batch - 1);
    lengths[i] = static_cast<int32_t>(least + (shape.keys - least) * static_cast<int64_t>(i) / steps);
  }
  return lengths;
}

void bench_shape(Runner& runner, const Shape& shape, gtr_precision precision) {
  const std::vector<int32_t> lengths = lengths_of(shape);
  int64_t pairs = 0;
  for (const int32_t length : lengths) {
    pairs += shape.queries * length;
  }
  const int64_t width = shape.heads * shape.head_dim;
  const int64_t element = precision == GTR_PRECISION_F32 ? 4 : 2;
  // q, k, v read and out written; the CPU's list counts none.
  const int64_t bytes = runner.has_card_cases() ? 2 * (shape.queries + shape.keys) * shape.batch * width * element : 0;
  const Case c{"attention",
               shape.name,
               precision,
               4.0 * static_cast<double>(pairs * width),
               static_cast<double>(bytes),
               "batch=" + std::to_string(shape.batch) + " queries=" + std::to_string(shape.queries) +
                   " keys=" + std::to_string(shape.keys) + " heads=" + std::to_string(shape.heads) +
                   " dim=" + std::to_string(shape.head_dim) + " ragged=" + (shape.ragged ? "1" : "0")};
  if (!runner.wants(c)) {
    return;
  }
  const gtr_dtype dtype = precision == GTR_PRECISION_F32 ? GTR_F32 : GTR_BF16;
  const bool self = shape.queries == shape.keys;
  const Matrix qkv(runner, shape.batch * shape.keys, 3 * width, dtype);
  const Matrix queries(runner, self ? 1 : shape.batch * shape.queries, width, dtype);
  const Matrix out_rows(runner, shape.batch * shape.queries, width, dtype);
  const Array key_lengths(runner, lengths);
  const gtr_tensor q = part_of(self ? qkv : queries, 0, shape, shape.queries);
  const gtr_tensor k = part_of(qkv, 1, shape, shape.keys);
  const gtr_tensor v = part_of(qkv, 2, shape, shape.keys);
  const gtr_tensor out = part_of(out_rows, 0, shape, shape.queries);
  int64_t scratch_size = 0;
  check(gtr_attention_scratch_size(runner.device(), precision, shape.batch, shape.queries, shape.keys, shape.heads,
                                   shape.head_dim, &scratch_size));
  const Scratch scratch(runner, scratch_size);
  const double scale = 1 / std::sqrt(static_cast<double>(shape.head_dim));
  runner.measure(c, [&](int64_t) {
    check(gtr_attention(runner.stream(), precision, scale, &q, &k, &v, nullptr,
                        shape.ragged ? &key_lengths.tensor() : nullptr, nullptr, &out, scratch.data(), scratch.size()));
  });
}

void bench_cpu_list(Runner& runner) {
  struct Part {
    const char* name;
    int64_t batch;
    int64_t length;
  };
  constexpr Part kParts[] = {{"decoder, one image", 2, kBuffer + kTokens},
                             {"decoder, 8 images", 16, kBuffer + kTokens},
                             {"encoder at half, one image", 2, kBuffer + kTokens / 2}};
  for (const Model& model : kModels) {
    for (const Part& part : kParts) {
      for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
        bench_shape(runner,
                    {std::string(model.name) + " " + part.name, part.batch, part.length, part.length, model.heads,
                     model.width / model.heads, false},
                    precision);
      }
    }
  }
}

void bench_card_shape(Runner& runner, int64_t batch, int64_t queries, int64_t keys, int64_t heads, int64_t head_dim,
                      gtr_precision precision, bool ragged = false) {
  bench_shape(runner,
              {"batch " + std::to_string(batch) + ", " + std::to_string(queries) + " x " + std::to_string(keys) +
                   (ragged ? " ragged" : "") + ", " + std::to_string(heads) + " heads of " + std::to_string(head_dim),
               batch, queries, keys, heads, head_dim, ragged},
              precision);
}

void bench_card_list(Runner& runner) {
  const int64_t places = kBuffer + kTokens;
  for (const Model& model : kModels) {
    const int64_t dim = model.width / model.heads;
    for (const int64_t batch : {1, 2, 8, 32, 64}) {
      bench_card_shape(runner, batch, places, places, model.heads, dim, GTR_PRECISION_BF16);
    }
    bench_card_shape(runner, 2, places, places, model.heads, dim, GTR_PRECISION_F32);
    // The last block, whose queries are the tokens that are wanted; and images at different decode steps.
    bench_card_shape(runner, 2, 6, places, model.heads, dim, GTR_PRECISION_BF16);
    bench_card_shape(runner, 64, kTokens / 2, places, model.heads, dim, GTR_PRECISION_BF16);
    bench_card_shape(runner, 64, places, places, model.heads, dim, GTR_PRECISION_BF16, true);
  }
  for (const int64_t dim : {64, 80}) {
    for (const int64_t length : {64, 128, 192, 256, 512, 1024, 1100}) {
      bench_card_shape(runner, 16, length, length, 16, dim, GTR_PRECISION_BF16);
    }
  }
}

void bench_small_list(Runner& runner) {
  for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
    for (const int64_t dim : {64, 80}) {
      bench_card_shape(runner, 1, 20, 20, 2, dim, precision);
      bench_card_shape(runner, 2, 3, 33, 2, dim, precision, true);
    }
  }
}

}  // namespace

void bench_attention(Runner& runner) {
  if (!runner.has_card_cases()) {
    bench_cpu_list(runner);
  } else if (runner.is_small()) {
    bench_small_list(runner);
  } else {
    bench_card_list(runner);
  }
}

}  // namespace gtr::bench
