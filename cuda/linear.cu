#include "linear_weights.h"

#include <algorithm>

#include "errors.h"
#include "linear_bf16.h"
#include "linear_epilogue.h"
#include "linear_f32.h"
#include "linear_round.h"
#include "memory.h"

namespace gtr::cuda {
namespace {

// Rows of x that have to be rounded or aligned before a bf16 product are so many at a time, which bounds the scratch;
// enough for products as fast as with all of them.
constexpr int64_t kRoundedRows = 8192;

int64_t divide_up(int64_t value, int64_t unit) { return (value + unit - 1) / unit; }

EpilogueMatrix epilogue_matrix(const gtr_tensor* tensor, int64_t first_row) noexcept {
  if (tensor == nullptr) return {};
  const bool bf16 = tensor->dtype == GTR_BF16;
  const int64_t offset = first_row * tensor->stride[0] * (bf16 ? 2 : 4);
  return {static_cast<char*>(tensor->data) + offset, tensor->stride[0], bf16};
}

LinearEpilogue make_epilogue(const Linear& linear, gtr_activation activation, const gtr_tensor* gate,
                             const gtr_tensor* residual, const gtr_tensor& y, int64_t first_row) noexcept {
  LinearEpilogue epilogue{};
  epilogue.activation = activation;
  epilogue.bias = linear.bias;
  epilogue.gate = epilogue_matrix(gate, first_row);
  epilogue.residual = epilogue_matrix(residual, first_row);
  epilogue.y = epilogue_matrix(&y, first_row);
  epilogue.by_4 = epilogue.gate.aligned_by_4() && epilogue.residual.aligned_by_4() && epilogue.y.aligned_by_4();
  return epilogue;
}

bool aligned_16(const gtr_tensor& x, int64_t element) noexcept {
  return reinterpret_cast<uintptr_t>(x.data) % 16 == 0 && x.stride[0] * element % 16 == 0;
}

}  // namespace

gtr_status linear_create(Device& device, int64_t outputs, int64_t inputs, gtr_precision precision,
                         Linear** linear) noexcept {
  *linear = nullptr;
  void* place = host_memory(device).allocate(sizeof(Linear));
  if (place == nullptr) return GTR_ERROR_OUT_OF_MEMORY;
  auto* created = new (place) Linear{};
  created->device = &device;
  created->outputs = outputs;
  created->inputs = inputs;
  created->precision = precision;
  created->steps = static_cast<int32_t>(divide_up(inputs, step_inputs(precision)));
  created->tiles = static_cast<int32_t>(divide_up(outputs, kTileColumns));
  const int64_t weight_bytes = int64_t{created->tiles} * created->steps * kStepBytes;
  created->device_bytes = weight_bytes + int64_t{created->tiles} * kTileColumns * 4;
  created->weights = device_allocate(device, created->device_bytes);
  if (created->weights == nullptr) {
    linear_destroy(created);
    return GTR_ERROR_OUT_OF_MEMORY;
  }
  created->bias = reinterpret_cast<float*>(static_cast<char*>(created->weights) + weight_bytes);
  Queue queue = begin_setup(device);
  queue.note(cudaMemsetAsync(created->weights, 0, static_cast<size_t>(created->device_bytes), queue.stream));
  const gtr_status status = end_setup(device, queue, "gtr_linear_create");
  if (status != GTR_OK) {
    linear_destroy(created);
    return status;
  }
  *linear = created;
  return GTR_OK;
}

void linear_destroy(Linear* linear) noexcept {
  if (linear == nullptr) return;
  Device& device = *linear->device;
  device_release(device, linear->weights, linear->device_bytes);
  host_memory(device).release(linear, sizeof(Linear));
}

int64_t linear_scratch_size(const Linear& linear, int64_t rows) noexcept {
  if (linear.precision == GTR_PRECISION_F32) return 0;
  return std::min(rows, kRoundedRows) * linear.steps * kStepRowBytes;
}

void linear(Context& context, const Linear& linear, gtr_activation activation, const gtr_tensor& x,
            const gtr_tensor* gate, const gtr_tensor* residual, const gtr_tensor& y, void* scratch) noexcept {
  const int64_t rows = x.shape[0];
  if (rows == 0) return;
  if (linear.precision == GTR_PRECISION_F32) {
    const bool by_4 = aligned_16(x, 4) && linear.inputs % 4 == 0;
    const FloatRows source{static_cast<const float*>(x.data), x.stride[0], rows, linear.inputs, by_4};
    launch_linear_f32(context.queue, linear, source, make_epilogue(linear, activation, gate, residual, y, 0),
                      context.cancelled);
    return;
  }
  if (x.dtype == GTR_BF16 && aligned_16(x, 2) && linear.inputs % kStepInputsBf16 == 0) {
    const GlobalRows source{static_cast<const Bf16*>(x.data), x.stride[0], rows};
    launch_linear_bf16(context.queue, *context.limits, linear, source,
                       make_epilogue(linear, activation, gate, residual, y, 0), context.cancelled);
    return;
  }
  for (int64_t first = 0; first < rows; first += kRoundedRows) {
    const int64_t count = std::min(kRoundedRows, rows - first);
    const int64_t stride = int64_t{linear.steps} * kStepInputsBf16;
    auto* const rounded = static_cast<Bf16*>(scratch);
    round_rows(context.queue, x, first, count, rounded, stride);
    launch_linear_bf16(context.queue, *context.limits, linear, GlobalRows{rounded, stride, count},
                       make_epilogue(linear, activation, gate, residual, y, first), context.cancelled);
  }
}

}  // namespace gtr::cuda
