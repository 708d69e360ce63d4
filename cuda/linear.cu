#include "launch_shape.h"
#include "linear_weights.h"

#include <algorithm>

#include "errors.h"
#include "linear_bf16.h"
#include "linear_cublaslt.h"
#include "linear_epilogue.h"
#include "linear_f32.h"
#include "linear_round.h"
#include "memory.h"

namespace gtr::cuda {
namespace {

// Rows of x that have to be rounded or aligned before a bf16 product, or whose sums cuBLASLt leaves to a second pass,
// are so many at a time, which bounds the scratch; enough for products as fast as with all of them.
constexpr int64_t kRowsAtOnce = 8192;

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

// Scratch: rounded rows of x, and for cuBLASLt its sums and workspace.
struct ScratchLayout {
  int64_t sums;
  int64_t workspace;
  int64_t bytes;

  ScratchLayout(const Linear& linear, int64_t rows) noexcept {
    const int64_t at_once = std::min(rows, kRowsAtOnce);
    const bool f32 = linear.precision == GTR_PRECISION_F32;
    sums = f32 ? 0 : at_once * linear.steps * kStepRowBytes;
    workspace = sums;
    bytes = sums;
    if (linear.plain == nullptr || rows == 0) return;
    // Whole multiples of 256 bytes, since cuBLASLt likes its workspace aligned.
    sums = divide_up(sums, 256) * 256;
    workspace = sums + divide_up(at_once * divide_up(linear.outputs, 4) * 16, 256) * 256;
    bytes = workspace + kCublasLtWorkspace;
  }
};

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
  if (gemm_is_cublaslt()) {
    created->plain_bytes = outputs * int64_t{created->steps} * kStepRowBytes;
    created->plain = device_allocate(device, created->plain_bytes);
  }
  if (created->weights == nullptr || (created->plain_bytes > 0 && created->plain == nullptr)) {
    linear_destroy(created);
    return GTR_ERROR_OUT_OF_MEMORY;
  }
  created->bias = reinterpret_cast<float*>(static_cast<char*>(created->weights) + weight_bytes);
  Queue queue = begin_setup(device);
  queue.note(cudaMemsetAsync(created->weights, 0, static_cast<size_t>(created->device_bytes), queue.stream));
  if (created->plain != nullptr) {
    queue.note(cudaMemsetAsync(created->plain, 0, static_cast<size_t>(created->plain_bytes), queue.stream));
  }
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
  device_release(device, linear->plain, linear->plain_bytes);
  host_memory(device).release(linear, sizeof(Linear));
}

int64_t linear_scratch_size(const Linear& linear, int64_t rows) noexcept { return ScratchLayout(linear, rows).bytes; }

void linear(Context& context, const Linear& linear, gtr_activation activation, const gtr_tensor& x,
            const gtr_tensor* gate, const gtr_tensor* residual, const gtr_tensor& y, void* scratch) noexcept {
  const int64_t rows = x.shape[0];
  if (rows == 0) return;
  const bool f32 = linear.precision == GTR_PRECISION_F32;
  const bool by_cublaslt = linear.plain != nullptr && context.queue.graph == nullptr && x.stride[0] >= linear.inputs &&
                           rows > (f32 ? kStreamedRowsF32 : kStreamedRows);
  const bool in_place =
      f32 || (x.dtype == GTR_BF16 && aligned_16(x, 2) && (by_cublaslt || linear.inputs % kStepInputsBf16 == 0));
  const ScratchLayout layout(linear, rows);
  auto* const rounded = static_cast<Bf16*>(scratch);
  const int64_t rounded_stride = int64_t{linear.steps} * kStepInputsBf16;

  const int64_t at_once = in_place && !by_cublaslt ? rows : kRowsAtOnce;
  for (int64_t first = 0; first < rows; first += at_once) {
    const int64_t count = std::min(at_once, rows - first);
    const LinearEpilogue epilogue = make_epilogue(linear, activation, gate, residual, y, first);
    if (!in_place) round_rows(context.queue, x, first, count, rounded, rounded_stride);
    const void* source = in_place ? static_cast<const char*>(x.data) + first * x.stride[0] * (f32 ? 4 : 2) : scratch;
    const int64_t stride = in_place ? x.stride[0] : rounded_stride;
    if (by_cublaslt) {
      auto* const bytes = static_cast<char*>(scratch);
      launch_linear_cublaslt(context.queue, linear, PlainRows{source, stride, count}, epilogue,
                             reinterpret_cast<float*>(bytes + layout.sums), bytes + layout.workspace);
    } else if (f32) {
      const bool by_4 = aligned_16(x, 4) && linear.inputs % 4 == 0;
      launch_linear_f32(context.queue, linear,
                        FloatRows{static_cast<const float*>(source), stride, count, linear.inputs, by_4}, epilogue,
                        context.cancelled);
    } else {
      launch_linear_bf16(context.queue, *context.limits, linear,
                         GlobalRows{static_cast<const Bf16*>(source), stride, count}, epilogue, context.cancelled);
    }
  }
}

}  // namespace gtr::cuda
