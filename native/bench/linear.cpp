// linear at the shapes of MAR-B, L and H.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "matrix.h"
#include "models.h"
#include "runner.h"

namespace gtr::bench {
namespace {

constexpr double kColdBytes = 384e6;  // weights that a cold case goes round through on the CPU
constexpr int64_t kWarmRows = 16;     // up to here the weights' traffic shows, and warm weights are measured too

struct Layer {
  std::string name;
  int64_t outputs;
  int64_t inputs;
  gtr_activation activation;
  bool residual;
  bool adds_to_stream;  // y is the float residual stream; else the input of another product, or a modulation
};

class Weights {
 public:
  Weights(const Runner& runner, const Layer& layer, gtr_precision precision, int64_t copies)
      : handles_(static_cast<size_t>(copies)) {
    const Matrix source(runner, layer.outputs, layer.inputs, GTR_F32, GTR_MEMORY_HOST);
    for (auto& handle : handles_) {
      check(gtr_linear_create(runner.device(), layer.outputs, layer.inputs, precision, &handle));
      check(gtr_linear_set(handle, 0, &source.tensor(), nullptr));
    }
  }
  ~Weights() {
    for (auto* handle : handles_) {
      gtr_linear_destroy(handle);
    }
  }
  Weights(const Weights&) = delete;
  Weights& operator=(const Weights&) = delete;

  gtr_linear_weights* operator[](int64_t i) const { return handles_[static_cast<size_t>(i) % handles_.size()]; }

 private:
  std::vector<gtr_linear_weights*> handles_;
};

const char* activation_name(gtr_activation activation) {
  return activation == GTR_ACTIVATION_GELU ? "gelu" : activation == GTR_ACTIVATION_SILU ? "silu" : "none";
}

double product_flops(const Layer& layer, int64_t rows) {
  return 2.0 * static_cast<double>(rows * layer.outputs * layer.inputs);
}

// y = activation(x W^T) + residual, run(i) with the i-th weights.
void measure_layer(Runner& runner, const Case& c, const Layer& layer, const Weights& weights, int64_t rows,
                   gtr_dtype x_dtype, gtr_dtype y_dtype, bool in_turn) {
  const Matrix x(runner, rows, layer.inputs, x_dtype);
  const Matrix y(runner, rows, layer.outputs, y_dtype);
  const Matrix residual(runner, layer.residual ? rows : 1, layer.outputs);
  int64_t scratch_size = 0;
  check(gtr_linear_scratch_size(weights[0], rows, &scratch_size));
  const Scratch scratch(runner, scratch_size);
  runner.measure(c, [&](int64_t i) {
    check(gtr_linear(runner.stream(), weights[in_turn ? i : 0], layer.activation, &x.tensor(), nullptr,
                     layer.residual ? &residual.tensor() : nullptr, &y.tensor(), scratch.data(), scratch.size()));
  });
}

// The CPU's list: float in and out, and weights that no cache holds where that counts.
void bench_on_cpu(Runner& runner, const char* model, const Layer& layer, gtr_precision precision) {
  const double bytes = static_cast<double>(layer.outputs * layer.inputs) * (precision == GTR_PRECISION_F32 ? 4.0 : 2.0);
  std::unique_ptr<Weights> weights;
  for (const int64_t rows : {2, 16, 128, 320, 2560}) {
    for (const bool cold : {true, false}) {
      const Case c{
          "linear",
          std::string(model) + " " + layer.name + ", " + std::to_string(rows) + " rows" + (cold ? ", cold" : ", warm"),
          precision, product_flops(layer, rows), bytes};
      if ((!cold && rows > kWarmRows) || !runner.wants(c)) {
        continue;
      }
      if (weights == nullptr) {
        weights = std::make_unique<Weights>(runner, layer, precision,
                                            std::max<int64_t>(2, static_cast<int64_t>(kColdBytes / bytes)));
      }
      measure_layer(runner, c, layer, *weights, rows, GTR_F32, GTR_F32, cold);
    }
  }
}

// A card's list: dtypes as the model has them.
void bench_on_card(Runner& runner, const char* model, const Layer& layer, gtr_precision precision,
                   const std::vector<int64_t>& list_of_rows) {
  const gtr_dtype x_dtype = precision == GTR_PRECISION_F32 ? GTR_F32 : GTR_BF16;
  const gtr_dtype y_dtype = layer.adds_to_stream ? GTR_F32 : x_dtype;
  const int64_t element = x_dtype == GTR_F32 ? 4 : 2;
  std::unique_ptr<Weights> weights;
  for (const int64_t rows : list_of_rows) {
    const int64_t y_bytes = rows * layer.outputs * (y_dtype == GTR_F32 ? 4 : 2);
    const int64_t bytes =
        (layer.outputs + rows) * layer.inputs * element + y_bytes + (layer.residual ? rows * layer.outputs * 4 : 0);
    const Case c{"linear",
                 std::string(model) + " " + layer.name + ", " + std::to_string(rows) + " rows",
                 precision,
                 product_flops(layer, rows),
                 static_cast<double>(bytes),
                 "rows=" + std::to_string(rows) + " inputs=" + std::to_string(layer.inputs) +
                     " outputs=" + std::to_string(layer.outputs) + " activation=" + activation_name(layer.activation) +
                     " residual=" + (layer.residual ? "1" : "0") + " y=" + (y_dtype == GTR_F32 ? "f32" : "bf16")};
    if (!runner.wants(c)) {
      continue;
    }
    if (weights == nullptr) {
      weights = std::make_unique<Weights>(runner, layer, precision, 1);
    }
    measure_layer(runner, c, layer, *weights, rows, x_dtype, y_dtype, false);
  }
}

// The layers of a block, over: the tokens that one guided image wants in an early decode step, its decoder, the
// decoders of 32 guided images.
void bench_model_on_card(Runner& runner, const Model& model, const std::vector<Layer>& layers,
                         gtr_precision precision) {
  const int64_t sequences = 2;
  const std::vector<int64_t> rows =
      runner.is_small() ? std::vector<int64_t>{3, sequences * model.places()}
                        : std::vector<int64_t>{10, 128, sequences * model.places(), 32 * sequences * model.places()};
  for (const Layer& layer : layers) {
    bench_on_card(runner, model.name, layer, precision, rows);
  }
  // The head's, as products of their own: in a chain they are fused. Its modulations are computed for all steps ahead.
  const int64_t w = model.head_width;
  const std::vector<int64_t> head_rows =
      runner.is_small() ? std::vector<int64_t>{5} : std::vector<int64_t>{10, 64, 512, 8192};
  bench_on_card(runner, model.name, {"head mlp", w, w, GTR_ACTIVATION_SILU, false, false}, precision, head_rows);
  const std::vector<int64_t> modulation_rows =
      runner.is_small() ? std::vector<int64_t>{7} : std::vector<int64_t>{500, 5120};
  bench_on_card(runner, model.name, {"head adaLN", 3 * w, w, GTR_ACTIVATION_NONE, false, false}, precision,
                modulation_rows);
}

}  // namespace

void bench_linear(Runner& runner) {
  for (const Model& model : runner.models()) {
    const int64_t width = model.width;
    const std::vector<Layer> layers = {{"qkv", 3 * width, width, GTR_ACTIVATION_NONE, false, false},
                                       {"proj", width, width, GTR_ACTIVATION_NONE, true, true},
                                       {"fc1", 4 * width, width, GTR_ACTIVATION_GELU, false, false},
                                       {"fc2", width, 4 * width, GTR_ACTIVATION_NONE, true, true}};
    if (runner.has_card_cases()) {
      for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
        bench_model_on_card(runner, model, layers, precision);
      }
      continue;
    }
    for (const Layer& layer : layers) {
      for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
        bench_on_cpu(runner, model.name, layer, precision);
      }
    }
  }
}

}  // namespace gtr::bench
