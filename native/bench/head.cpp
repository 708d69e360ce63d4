// The diffusion head of MAR-B, L and H: whole guided chains over the rows of a decode step.
#include <string>
#include <vector>

#include "matrix.h"
#include "models.h"
#include "runner.h"

namespace gtr::bench {
namespace {

constexpr int32_t kSteps = 5;  // enough to show the cost of one: a step takes as long as any other

class Head {
 public:
  Head(gtr_device* device, const gtr_head_shape& shape, gtr_precision precision) : device_(device) {
    check(gtr_head_create(device, &shape, precision, &handle_));
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
    set_linear("final_layer.linear", 2 * shape.channels, w);
  }
  ~Head() { gtr_head_destroy(handle_); }
  Head(const Head&) = delete;
  Head& operator=(const Head&) = delete;

  gtr_head* get() const { return handle_; }

 private:
  void set_linear(const std::string& name, int64_t outputs, int64_t inputs) {
    const Matrix weight(device_, outputs, inputs);
    check(gtr_head_set(handle_, (name + ".weight").c_str(), 0, &weight.tensor()));
    set_vector(name + ".bias", outputs);
  }
  void set_vector(const std::string& name, int64_t size) {
    const Matrix values(device_, 1, size);
    gtr_tensor vector = values.tensor();
    vector.rank = 1;
    vector.shape[0] = size;
    vector.stride[0] = 1;
    check(gtr_head_set(handle_, name.c_str(), 0, &vector));
  }

  gtr_device* device_;
  gtr_head* handle_ = nullptr;
};

// One value for all rows.
template <typename T>
gtr_tensor broadcast(T& value, gtr_dtype dtype, int64_t rows) {
  gtr_tensor tensor{};
  tensor.data = &value;
  tensor.size = sizeof value;
  tensor.dtype = dtype;
  tensor.rank = 1;
  tensor.shape[0] = rows;
  return tensor;
}

void bench_model(Runner& runner, const Model& model, gtr_precision precision) {
  const gtr_head_shape shape{kChannels, static_cast<int32_t>(model.width), model.head_width, model.head_blocks};
  const double w = shape.width;
  const double d = shape.condition;
  const double channels = shape.channels;
  // Multiply-adds of a row and step; of the weights, those that every step needs anew.
  const double products =
      channels * w + d * w + 5 * shape.blocks * w * w + 2 * w * w + 2 * w * channels + 256 * w + w * w;
  const double step_bytes = 2 * shape.blocks * w * w * (precision == GTR_PRECISION_F32 ? 4 : 2);
  for (const int32_t rows : {5, 32, 128}) {
    const Case c{
        "head chain",
        std::string(model.name) + ", " + std::to_string(rows) + " guided rows, " + std::to_string(kSteps) + " steps",
        precision, 2 * kSteps * 2.0 * rows * products, kSteps * step_bytes};
    if (!runner.wants(c)) {
      continue;
    }
    const Head head(runner.device(), shape, precision);
    const Matrix z(runner.device(), rows, shape.condition);
    const Matrix z_unconditional(runner.device(), rows, shape.condition);
    const Matrix x(runner.device(), rows, shape.channels);
    uint64_t seed_value = 1;
    uint32_t image_value = 0;
    std::vector<uint32_t> cells(static_cast<size_t>(rows));
    for (int32_t row = 0; row < rows; ++row) {
      cells[static_cast<size_t>(row)] = static_cast<uint32_t>(row);
    }
    float cfg_value = 3;
    float temperature_value = 1;
    const gtr_tensor seed = broadcast(seed_value, GTR_U64, rows);
    const gtr_tensor image = broadcast(image_value, GTR_U32, rows);
    const gtr_tensor cfg = broadcast(cfg_value, GTR_F32, rows);
    const gtr_tensor temperature = broadcast(temperature_value, GTR_F32, rows);
    gtr_tensor cell = broadcast(cells[0], GTR_U32, rows);
    cell.size = rows * static_cast<int64_t>(sizeof(uint32_t));
    cell.stride[0] = 1;
    const gtr_chain_group group{rows, kSteps, 1};
    gtr_chain chain{};
    chain.groups = &group;
    chain.group_count = 1;
    chain.z = &z.tensor();
    chain.z_unconditional = &z_unconditional.tensor();
    chain.seed = &seed;
    chain.image = &image;
    chain.cell = &cell;
    chain.cfg = &cfg;
    chain.temperature = &temperature;
    int64_t scratch_size = 0;
    check(gtr_head_chain_scratch_size(head.get(), &chain, &scratch_size));
    const Matrix scratch(runner.device(), 1, scratch_size / 4 + 1);
    runner.measure(c, [&](int64_t) {
      check(gtr_head_chain(runner.stream(), head.get(), &chain, &x.tensor(), scratch.tensor().data,
                           scratch.tensor().size));
    });
  }
}

}  // namespace

void bench_head(Runner& runner) {
  for (const Model& model : kModels) {
    for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
      bench_model(runner, model, precision);
    }
  }
}

}  // namespace gtr::bench
