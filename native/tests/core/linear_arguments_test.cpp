// gtr_linear*: every refusal.
#include "fixture.h"

namespace gtr::test {
namespace {

constexpr gtr_status kInvalid = GTR_ERROR_INVALID_ARGUMENT;
constexpr int64_t kOutputs = 5;
constexpr int64_t kInputs = 6;
constexpr int64_t kRows = 4;

void creation(const Fixture& f) {
  constexpr const char* kOperation = "gtr_linear_create";
  char unset;
  gtr_linear_weights* linear = nullptr;
  const auto refused = [&](gtr_device* device, int64_t outputs, int64_t inputs, int32_t precision, const char* argument,
                           const char* text) {
    linear = reinterpret_cast<gtr_linear_weights*>(&unset);
    EXPECT_REFUSED(gtr_linear_create(device, outputs, inputs, precision, &linear), kInvalid, kOperation, argument,
                   text);
    EXPECT(linear == nullptr);
  };
  refused(nullptr, 5, 6, 0, "device", "device is null");
  refused(f.device, 0, 6, 0, "outputs", "outputs is 0; allowed are 1 to 16777216");
  refused(f.device, (1 << 24) + 1, 6, 0, "outputs", "outputs is 16777217");
  refused(f.device, 5, -1, 0, "inputs", "inputs is -1");
  refused(f.device, 5, INT64_MAX, 0, "inputs", "inputs is 9223372036854775807");
  refused(f.device, 5, 6, 2, "precision", "precision is 2; allowed are 0 (f32), 1 (bf16)");
  refused(f.device, 5, 6, -1, "precision", "precision is -1");
  EXPECT_REFUSED(gtr_linear_create(f.device, 5, 6, 0, nullptr), kInvalid, kOperation, "linear", "linear is null");
  EXPECT_OK(gtr_linear_destroy(nullptr));
}

void setting(gtr_linear_weights* linear) {
  constexpr const char* kOperation = "gtr_linear_set";
  const Array<float> weight({2, kInputs}, 1.0f);
  const Array<float> bias({2}, 1.0f);
  EXPECT_REFUSED(gtr_linear_set(nullptr, 0, &weight, nullptr), kInvalid, kOperation, "linear", "linear is null");
  refuse_null(kOperation, "weight", [&](const gtr_tensor* t) { return gtr_linear_set(linear, 0, t, &bias); });
  refuse_bad_tensor(kOperation, "weight", weight.tensor, {1},
                    [&](const gtr_tensor* t) { return gtr_linear_set(linear, 0, t, &bias); });
  refuse_bad_tensor(kOperation, "bias", bias.tensor, {0},
                    [&](const gtr_tensor* t) { return gtr_linear_set(linear, 0, &weight, t); });
  EXPECT_REFUSED(gtr_linear_set(linear, -1, &weight, nullptr), kInvalid, kOperation, "first_row", "first_row is -1");
  EXPECT_REFUSED(gtr_linear_set(linear, 6, &weight, nullptr), kInvalid, kOperation, "first_row",
                 "first_row is 6; allowed are 0 to 5 (outputs of the linear)");
  EXPECT_REFUSED(gtr_linear_set(linear, INT64_MAX, &weight, nullptr), kInvalid, kOperation, "first_row", "");
  EXPECT_REFUSED(gtr_linear_set(linear, 4, &weight, nullptr), kInvalid, kOperation, "weight",
                 "weight.shape[0] is 2; allowed are 0 to 1");
  EXPECT_OK(gtr_linear_set(linear, 3, &weight, &bias));
  EXPECT_OK(gtr_linear_set(linear, 0, &weight, nullptr));
  const Array<float> none({0, kInputs});
  EXPECT_OK(gtr_linear_set(linear, 5, &none, nullptr));
}

void running(const Fixture& f, int32_t precision) {
  constexpr const char* kOperation = "gtr_linear";
  gtr_linear_weights* linear = nullptr;
  EXPECT_OK(gtr_linear_create(f.device, kOutputs, kInputs, precision, &linear));
  setting(linear);

  int64_t bytes = -1;
  EXPECT_REFUSED(gtr_linear_scratch_size(nullptr, 4, &bytes), kInvalid, "gtr_linear_scratch_size", "linear", "is null");
  EXPECT_REFUSED(gtr_linear_scratch_size(linear, -1, &bytes), kInvalid, "gtr_linear_scratch_size", "rows",
                 "rows is -1");
  EXPECT_REFUSED(gtr_linear_scratch_size(linear, int64_t{1} << 31, &bytes), kInvalid, "gtr_linear_scratch_size", "rows",
                 "rows is 2147483648");
  EXPECT_REFUSED(gtr_linear_scratch_size(linear, 4, nullptr), kInvalid, "gtr_linear_scratch_size", "bytes", "is null");
  EXPECT_OK(gtr_linear_scratch_size(linear, kRows, &bytes));
  EXPECT(bytes >= 0);

  const Array<float> x({kRows, kInputs}, 1.0f), gate({kRows, kOutputs}, 1.0f), residual({kRows, kOutputs}, 1.0f);
  Array<float> y({kRows, kOutputs}, 7.0f);
  const Scratch scratch(bytes);
  const auto call = [&](const gtr_tensor* x_, const gtr_tensor* gate_, const gtr_tensor* residual_,
                        const gtr_tensor* y_) {
    return gtr_linear(f.stream, linear, GTR_ACTIVATION_NONE, x_, gate_, residual_, y_, scratch.data, bytes);
  };
  refuse_null_stream(kOperation, [&](gtr_stream* stream) {
    return gtr_linear(stream, linear, 0, &x, &gate, &residual, &y, scratch.data, bytes);
  });
  EXPECT_REFUSED(gtr_linear(f.stream, nullptr, 0, &x, &gate, &residual, &y, scratch.data, bytes), kInvalid, kOperation,
                 "linear", "linear is null");
  {
    const Fixture other;
    EXPECT_REFUSED(gtr_linear(other.stream, linear, 0, &x, &gate, &residual, &y, scratch.data, bytes), kInvalid,
                   kOperation, "linear", "belongs to another device");
  }
  for (const int32_t activation : {-1, 3}) {
    EXPECT_REFUSED(gtr_linear(f.stream, linear, activation, &x, &gate, &residual, &y, scratch.data, bytes), kInvalid,
                   kOperation, "activation", "; allowed are 0 (none), 1 (GELU), 2 (SiLU)");
  }
  refuse_null(kOperation, "x", [&](const gtr_tensor* t) { return call(t, &gate, &residual, &y); });
  refuse_bad_tensor(kOperation, "x", x.tensor, {1}, [&](const gtr_tensor* t) { return call(t, &gate, &residual, &y); });
  refuse_bad_tensor(kOperation, "gate", gate.tensor, {0, 1},
                    [&](const gtr_tensor* t) { return call(&x, t, &residual, &y); });
  refuse_bad_tensor(kOperation, "residual", residual.tensor, {0, 1},
                    [&](const gtr_tensor* t) { return call(&x, &gate, t, &y); });
  refuse_bad_output(kOperation, "y", y.tensor, {0, 1}, {&x, &gate},
                    [&](const gtr_tensor* t) { return call(&x, &gate, &residual, t); });
  const Array<uint16_t> half({kRows, kInputs});
  if (precision == GTR_PRECISION_F32) {
    EXPECT_REFUSED(call(&half, nullptr, nullptr, &y), kInvalid, kOperation, "x", "x.dtype is bf16; allowed is f32");
  } else {
    EXPECT_OK(call(&half, nullptr, nullptr, &y));
    for (float& value : y.values) value = 7.0f;
  }
  const Array<uint16_t> half_residual({kRows, kOutputs});
  EXPECT_REFUSED(call(&x, nullptr, &half_residual, &y), kInvalid, kOperation, "residual", "allowed is f32");

  // y shifted by one row against residual is neither apart nor the same.
  Array<float> rows({kRows + 1, kOutputs}, 7.0f);
  gtr_tensor upper = rows.tensor, lower = rows.tensor;
  upper.shape[0] = lower.shape[0] = kRows;
  lower.data = rows.values.data() + kOutputs;
  lower.size -= kOutputs * 4;
  EXPECT_REFUSED(call(&x, nullptr, &upper, &lower), kInvalid, kOperation, "y",
                 "y overlaps residual; allowed is memory of its own, or exactly the same tensor");
  // The exception for residual is none for another argument at the same address.
  EXPECT_REFUSED(call(&x, &upper, &upper, &upper), kInvalid, kOperation, "y", "y overlaps gate");

  bool unchanged = true;
  for (const float value : y.values) unchanged = unchanged && value == 7.0f;
  for (const float value : rows.values) unchanged = unchanged && value == 7.0f;
  EXPECT(unchanged);

  refuse_bad_scratch(kOperation, scratch, bytes, [&](void* data, int64_t size) {
    return gtr_linear(f.stream, linear, 0, &x, &gate, &residual, &y, data, size);
  });
  if (bytes >= y.tensor.size) {
    gtr_tensor inside = y.tensor;
    inside.data = scratch.data;
    EXPECT_REFUSED(call(&x, nullptr, nullptr, &inside), kInvalid, kOperation, "scratch", "scratch overlaps y");
  }

  EXPECT_OK(call(&x, nullptr, &upper, &upper));  // in place
  gtr_tensor broadcast = x.tensor;
  broadcast.stride[0] = 0;
  broadcast.size = kInputs * 4;
  EXPECT_OK(call(&broadcast, nullptr, nullptr, &y));

  const Array<float> no_x({0, kInputs}), no_y({0, kOutputs});
  EXPECT_OK(gtr_linear(f.stream, linear, 0, &no_x, nullptr, nullptr, &no_y, nullptr, 0));
  EXPECT_OK(gtr_stream_cancel(f.stream));
  EXPECT_REFUSED(call(&x, nullptr, nullptr, &y), GTR_ERROR_CANCELLED, kOperation, "stream", "cancelled");
  EXPECT_OK(gtr_stream_reset(f.stream));
  EXPECT_OK(gtr_linear_destroy(linear));
}

}  // namespace
}  // namespace gtr::test

int main() {
  using namespace gtr::test;
  {
    const Fixture f;
    creation(f);
    running(f, GTR_PRECISION_F32);
    running(f, GTR_PRECISION_BF16);
  }
  return result();
}
