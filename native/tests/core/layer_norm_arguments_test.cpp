// gtr_layer_norm: every refusal.
#include <cmath>

#include "fixture.h"

namespace gtr::test {
namespace {

constexpr const char* kOperation = "gtr_layer_norm";

void refusals(const Fixture& f) {
  const Array<float> x({4, 6}, 1.0f), weight({6}, 1.0f), bias({6}), scale({4, 6}), shift({4, 6});
  const Array<float> y({4, 6}, 7.0f);
  const auto call = [&](const gtr_tensor* x_, const gtr_tensor* weight_, const gtr_tensor* bias_,
                        const gtr_tensor* scale_, const gtr_tensor* shift_, const gtr_tensor* y_) {
    return gtr_layer_norm(f.stream, x_, weight_, bias_, scale_, shift_, 1e-6, y_);
  };
  refuse_null_stream(kOperation, [&](gtr_stream* stream) {
    return gtr_layer_norm(stream, &x, &weight, &bias, &scale, &shift, 1e-6, &y);
  });
  refuse_null(kOperation, "x", [&](const gtr_tensor* t) { return call(t, &weight, &bias, &scale, &shift, &y); });
  refuse_bad_tensor(kOperation, "x", x.tensor, {},
                    [&](const gtr_tensor* t) { return call(t, nullptr, nullptr, nullptr, nullptr, &y); });
  refuse_bad_tensor(kOperation, "weight", weight.tensor, {0},
                    [&](const gtr_tensor* t) { return call(&x, t, &bias, &scale, &shift, &y); });
  refuse_bad_tensor(kOperation, "bias", bias.tensor, {0},
                    [&](const gtr_tensor* t) { return call(&x, &weight, t, &scale, &shift, &y); });
  refuse_bad_tensor(kOperation, "scale", scale.tensor, {0, 1},
                    [&](const gtr_tensor* t) { return call(&x, &weight, &bias, t, &shift, &y); });
  refuse_bad_tensor(kOperation, "shift", shift.tensor, {0, 1},
                    [&](const gtr_tensor* t) { return call(&x, &weight, &bias, &scale, t, &y); });
  refuse_null(kOperation, "scale", [&](const gtr_tensor* t) { return call(&x, &weight, &bias, t, &shift, &y); });
  refuse_null(kOperation, "shift", [&](const gtr_tensor* t) { return call(&x, &weight, &bias, &scale, t, &y); });
  refuse_bad_output(kOperation, "y", y.tensor, {0, 1}, {&scale, &shift},
                    [&](const gtr_tensor* t) { return call(&x, &weight, &bias, &scale, &shift, t); });
  // bf16 results in the memory of f32 inputs.
  gtr_tensor half = x.tensor;
  half.dtype = GTR_BF16;
  EXPECT_REFUSED(call(&x, nullptr, nullptr, nullptr, nullptr, &half), GTR_ERROR_INVALID_ARGUMENT, kOperation, "y",
                 "y overlaps x; allowed is memory of its own, or exactly the same tensor");
  for (const double epsilon : {0.0, -1e-6, std::nan(""), HUGE_VAL}) {
    EXPECT_REFUSED(gtr_layer_norm(f.stream, &x, &weight, &bias, &scale, &shift, epsilon, &y),
                   GTR_ERROR_INVALID_ARGUMENT, kOperation, "epsilon", "allowed are finite numbers above 0");
  }
  bool unchanged = true;
  for (const float value : y.values) unchanged = unchanged && value == 7.0f;
  EXPECT(unchanged);

  EXPECT_OK(call(&x, &weight, &bias, &scale, &shift, &y));
  EXPECT_OK(call(&x, &weight, &bias, &scale, &shift, &x));  // in place
  const Array<float> empty({0, 6}), no_width({4, 0});
  EXPECT_OK(call(&empty, &weight, &bias, nullptr, nullptr, &empty));
  EXPECT_OK(call(&no_width, nullptr, nullptr, nullptr, nullptr, &no_width));
  EXPECT_OK(gtr_stream_cancel(f.stream));
  EXPECT_REFUSED(call(&x, nullptr, nullptr, nullptr, nullptr, &y), GTR_ERROR_CANCELLED, kOperation, "stream",
                 "cancelled");
  EXPECT_OK(gtr_stream_reset(f.stream));
}

}  // namespace
}  // namespace gtr::test

int main() {
  using namespace gtr::test;
  {
    const Fixture f;
    refusals(f);
  }
  return result();
}
