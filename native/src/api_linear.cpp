// Linear layers with packed weights.
#include "check.h"
#include "errors.h"
#include "handles.h"
#include "out_of_memory.h"

using namespace gtr;

namespace {
constexpr int64_t kMaxWidth = int64_t{1} << 24;
}

gtr_status gtr_linear_create(gtr_device* device, int64_t outputs, int64_t inputs, int32_t precision,
                             gtr_linear_weights** linear) {
  Check check("gtr_linear_create");
  if (check.not_null("linear", linear)) *linear = nullptr;
  check.not_null("device", device);
  check.range("outputs", outputs, 1, kMaxWidth);
  check.range("inputs", inputs, 1, kMaxWidth);
  check.precision(precision);
  if (!check.ok()) return check.status();

  const auto arithmetic = static_cast<gtr_precision>(precision);
  auto* created = create_handle<gtr_linear_weights>(device->memory, device, outputs, inputs, arithmetic);
  gtr_status status = GTR_ERROR_OUT_OF_MEMORY;
  if (created != nullptr) {
    status =
        device->backend->linear_create(device->implementation, outputs, inputs, arithmetic, &created->implementation);
  }
  if (status != GTR_OK) {
    if (created != nullptr) destroy_handle(device->memory, created);
    if (status != GTR_ERROR_OUT_OF_MEMORY) return status;
    return fail_out_of_memory(*device, check.operation(), "", "packed weights [%lld, %lld]",
                              static_cast<long long>(outputs), static_cast<long long>(inputs));
  }
  device->linears.fetch_add(1, std::memory_order_relaxed);
  *linear = created;
  return GTR_OK;
}

gtr_status gtr_linear_set(gtr_linear_weights* linear, int64_t first_row, const gtr_tensor* weight,
                          const gtr_tensor* bias) {
  Check check("gtr_linear_set");
  const WeightsChange<gtr_linear_weights> change(check, "linear", linear);
  if (!check.ok()) return check.status();
  constexpr uint32_t kWeightTypes = kF32 | kF16 | kBF16;
  if (!check.input("weight", weight, kWeightTypes, {any(), {linear->inputs, "inputs of the linear"}})) {
    return check.status();
  }
  const int64_t rows = weight->shape[0];
  check.optional_input("bias", bias, kWeightTypes, {{rows, "rows of weight"}});
  check.range("first_row", first_row, 0, linear->outputs, "outputs of the linear");
  check.size("weight", *weight, 0, 0, linear->outputs - first_row, "outputs of the linear after first_row");
  if (!check.ok()) return check.status();
  if (rows == 0) return GTR_OK;
  return linear->device->backend->linear_set(linear->device->implementation, linear->implementation, first_row, weight,
                                             bias);
}

gtr_status gtr_linear_destroy(gtr_linear_weights* linear) {
  if (linear == nullptr) return GTR_OK;
  Check check("gtr_linear_destroy");
  WeightsChange<gtr_linear_weights> change(check, "linear", linear);
  if (!check.ok()) return check.status();
  gtr_device* device = linear->device;
  device->backend->linear_destroy(device->implementation, linear->implementation);
  change.forget();
  destroy_handle(device->memory, linear);
  device->linears.fetch_sub(1, std::memory_order_relaxed);
  return GTR_OK;
}

gtr_status gtr_linear_scratch_size(const gtr_linear_weights* linear, int64_t rows, int64_t* bytes) {
  Check check("gtr_linear_scratch_size");
  const WeightsUse<gtr_linear_weights> use(check, "linear", linear, nullptr);
  check.range("rows", rows, 0, kMaxRows);
  check.not_null("bytes", bytes);
  if (!check.ok()) return check.status();
  *bytes = linear->device->backend->linear_scratch_size(linear->implementation, rows);
  return GTR_OK;
}

gtr_status gtr_linear(gtr_stream* stream, const gtr_linear_weights* linear, int32_t activation, const gtr_tensor* x,
                      const gtr_tensor* gate, const gtr_tensor* residual, const gtr_tensor* y, void* scratch,
                      int64_t scratch_size) {
  Check check("gtr_linear");
  const StreamUse stream_use(check, stream);
  const WeightsUse<gtr_linear_weights> linear_use(check, "linear", linear, stream);
  if (!check.ok()) return check.status();
  if (activation < GTR_ACTIVATION_NONE || activation > GTR_ACTIVATION_SILU) {
    check.fail(GTR_ERROR_INVALID_ARGUMENT, "activation",
               "activation is %d; allowed are %d (none), %d (GELU), %d (SiLU)", activation, GTR_ACTIVATION_NONE,
               GTR_ACTIVATION_GELU, GTR_ACTIVATION_SILU);
  }
  const uint32_t x_types = linear->precision == GTR_PRECISION_BF16 ? kF32 | kBF16 : kF32;
  if (!check.input("x", x, x_types, {any(), {linear->inputs, "inputs of the linear"}})) return check.status();
  const Dim rows{x->shape[0], "rows of x"};
  const Dim outputs{linear->outputs, "outputs of the linear"};
  check.size("x", *x, 0, 0, kMaxRows);
  check.optional_input("gate", gate, kF32 | kBF16, {rows, outputs});
  check.optional_input("residual", residual, kF32, {rows, outputs});
  check.output("y", y, kF32 | kBF16, {rows, outputs}, "residual");
  if (!check.ok()) return check.status();
  const Backend& backend = *stream->device->backend;
  if (!check.scratch(scratch, scratch_size, backend.linear_scratch_size(linear->implementation, rows.size))) {
    return check.status();
  }
  return run_on(stream, check, *y, [&] {
    return backend.linear(stream->implementation, linear->implementation, static_cast<gtr_activation>(activation), *x,
                          gate, residual, *y, scratch);
  });
}
