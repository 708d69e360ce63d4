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

constexpr double kColdBytes = 384e6;  // weights that a cold case goes round through
constexpr int64_t kWarmRows = 16;     // up to here the weights' traffic shows, and warm weights are measured too

struct Layer {
  const char* name;
  int64_t outputs;
  int64_t inputs;
  gtr_activation activation;
  bool residual;
};

class Weights {
 public:
  Weights(gtr_device* device, const Matrix& source, gtr_precision precision, int64_t copies) : handles_(copies) {
    const gtr_tensor& weight = source.tensor();
    for (auto& handle : handles_) {
      check(gtr_linear_create(device, weight.shape[0], weight.shape[1], precision, &handle));
      check(gtr_linear_set(handle, 0, &weight, nullptr));
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

void bench_layer(Runner& runner, const char* model, const Layer& layer, gtr_precision precision) {
  const double bytes = static_cast<double>(layer.outputs * layer.inputs) * (precision == GTR_PRECISION_F32 ? 4.0 : 2.0);
  std::unique_ptr<Matrix> source;
  std::unique_ptr<Weights> weights;
  for (const int64_t rows : {2, 16, 128, 320, 2560}) {
    for (const bool cold : {true, false}) {
      const Case c{
          "linear",
          std::string(model) + " " + layer.name + ", " + std::to_string(rows) + " rows" + (cold ? ", cold" : ", warm"),
          precision, 2.0 * static_cast<double>(rows * layer.outputs * layer.inputs), bytes};
      if (!runner.wants(c) || (!cold && rows > kWarmRows)) {
        continue;
      }
      if (weights == nullptr) {
        source = std::make_unique<Matrix>(runner.device(), layer.outputs, layer.inputs);
        weights = std::make_unique<Weights>(runner.device(), *source, precision,
                                            std::max<int64_t>(2, static_cast<int64_t>(kColdBytes / bytes)));
      }
      const Matrix x(runner.device(), rows, layer.inputs);
      const Matrix y(runner.device(), rows, layer.outputs);
      const Matrix residual(runner.device(), rows, layer.outputs);
      int64_t scratch_size = 0;
      check(gtr_linear_scratch_size((*weights)[0], rows, &scratch_size));
      const Matrix scratch(runner.device(), 1, scratch_size / 4 + 1);
      runner.measure(c, [&](int64_t i) {
        check(gtr_linear(runner.stream(), (*weights)[cold ? i : 0], layer.activation, &x.tensor(), nullptr,
                         layer.residual ? &residual.tensor() : nullptr, &y.tensor(), scratch.tensor().data,
                         scratch.tensor().size));
      });
    }
  }
}

}  // namespace

void bench_linear(Runner& runner) {
  for (const Model& model : kModels) {
    const int64_t width = model.width;
    const Layer layers[] = {{"qkv", 3 * width, width, GTR_ACTIVATION_NONE, false},
                            {"proj", width, width, GTR_ACTIVATION_NONE, true},
                            {"fc1", 4 * width, width, GTR_ACTIVATION_GELU, false},
                            {"fc2", width, 4 * width, GTR_ACTIVATION_NONE, true}};
    for (const Layer& layer : layers) {
      for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
        bench_layer(runner, model.name, layer, precision);
      }
    }
  }
}

}  // namespace gtr::bench
