// Packing of weights and bias into panels, from float, half or bfloat16.
#include <algorithm>
#include <cstring>

#include "bfloat16.h"
#include "half.h"
#include "linear_weights.h"

namespace gtr::cpu {
namespace {

// A row's weights lie `columns` elements apart, so rows are packed together, this many inputs at a time: the block of
// the panel they go to stays in the first-level cache.
constexpr int64_t kInputsAtOnce = 64;

struct FromFloat {
  using Source = float;
  static float to_float(float value) { return value; }
  static uint16_t to_bf16(float value) { return to_bfloat16(value).bits; }
};

struct FromHalf {
  using Source = uint16_t;
  static float to_float(uint16_t value) { return half_to_float(value); }
  static uint16_t to_bf16(uint16_t value) { return to_bfloat16(half_to_float(value)).bits; }
};

struct FromBf16 {
  using Source = uint16_t;
  static float to_float(uint16_t value) { return cpu::to_float(Bfloat16{value}); }
  static uint16_t to_bf16(uint16_t value) { return value; }
};

template <typename From>
void set_bias(Linear& linear, int64_t first_row, const gtr_tensor& bias) {
  const auto* source = static_cast<const typename From::Source*>(bias.data);
  for (int64_t i = 0; i < bias.shape[0]; ++i) {
    linear.bias[first_row + i] = From::to_float(source[i * bias.stride[0]]);
  }
}

template <typename From>
void set_weights(Linear& linear, int64_t first_row, const gtr_tensor& weight) {
  const auto* source = static_cast<const typename From::Source*>(weight.data);
  const int64_t columns = linear.kernels->columns;
  const int64_t end_row = first_row + weight.shape[0];
  for (int64_t row = first_row; row < end_row;) {
    const int64_t panel = row / columns;
    const int64_t panel_end = std::min(end_row, (panel + 1) * columns);
    char* target = linear.weights + panel * linear.panel_stride;
    for (int64_t first = 0; first < linear.inputs; first += kInputsAtOnce) {
      const int64_t last = std::min(linear.inputs, first + kInputsAtOnce);
      for (int64_t r = row; r < panel_end; ++r) {
        const auto* from = source + (r - first_row) * weight.stride[0];
        const int64_t column = r - panel * columns;
        if (linear.precision == GTR_PRECISION_F32) {
          auto* to = reinterpret_cast<float*>(target) + column;
          for (int64_t k = first; k < last; ++k) {
            to[k * columns] = From::to_float(from[k]);
          }
        } else {
          auto* to = reinterpret_cast<uint16_t*>(target) + column * 2;
          for (int64_t k = first; k < last; ++k) {
            to[(k / 2) * columns * 2 + k % 2] = From::to_bf16(from[k]);
          }
        }
      }
    }
    row = panel_end;
  }
}

}  // namespace

void linear_set(Linear& linear, int64_t first_row, const gtr_tensor* weight, const gtr_tensor* bias) noexcept {
  if (weight != nullptr) {
    const auto set = weight->dtype == GTR_F32   ? set_weights<FromFloat>
                     : weight->dtype == GTR_F16 ? set_weights<FromHalf>
                                                : set_weights<FromBf16>;
    set(linear, first_row, *weight);
  }
  if (bias != nullptr) {
    const auto set = bias->dtype == GTR_F32   ? set_bias<FromFloat>
                     : bias->dtype == GTR_F16 ? set_bias<FromHalf>
                                              : set_bias<FromBf16>;
    set(linear, first_row, *bias);
  }
}

}  // namespace gtr::cpu
