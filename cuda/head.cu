#include "head.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "device.h"
#include "head_layers.h"
#include "memory.h"
#include "tensor_view.h"

namespace gtr::cuda {
namespace {

constexpr char kSetOperation[] = "gtr_head_set";

// Lays out the head's own allocation; returns its size.
int64_t place_arrays(void* memory, const gtr_head_shape& shape, Head* head) noexcept {
  HeadScratch layout(memory);
  layout.take<Head>(1);
  head->blocks = layout.take<HeadBlock>(shape.blocks);
  head->completeness = HeadCompleteness::place(layout, shape);
  return layout.size();
}

int64_t norm_bytes(const gtr_head_shape& shape) noexcept {
  return 2 * int64_t{shape.blocks} * shape.width * static_cast<int64_t>(sizeof(float));
}

gtr_status create_weights(Device& device, Head& head) noexcept {
  const gtr_head_shape& shape = head.shape;
  if (shape.blocks > 0) {
    head.norms = static_cast<float*>(device_allocate(device, norm_bytes(shape)));
    if (head.norms == nullptr) return GTR_ERROR_OUT_OF_MEMORY;
  }
  for (int64_t b = 0; b < shape.blocks; ++b) {
    head.blocks[b].norm_weight = head.norms + 2 * b * shape.width;
    head.blocks[b].norm_bias = head.norms + (2 * b + 1) * shape.width;
  }
  for (int64_t number = 0; number < head_tensor_count(shape); ++number) {
    const HeadTensor tensor = head_tensor_at(number);
    Linear** const linear = head_linear_of(head, tensor.layer, tensor.block);
    if (tensor.bias || linear == nullptr) continue;
    int64_t rows = 0;
    int64_t columns = 0;
    head_tensor_size(shape, tensor, &rows, &columns);
    const gtr_status status =
        linear_create(device, rows, columns, head_layer_precision(head.precision, tensor.layer), linear);
    if (status != GTR_OK) return status;
  }
  return GTR_OK;
}

// A vector of the host into floats of the device.
gtr_status set_vector(Device& device, const gtr_tensor& value, float* target) noexcept {
  constexpr int64_t kPiece = 1024;
  float piece[kPiece];
  Queue queue = begin_setup(device);
  for (int64_t first = 0; first < value.shape[0]; first += kPiece) {
    const int64_t count = std::min(kPiece, value.shape[0] - first);
    for (int64_t i = 0; i < count; ++i) piece[i] = float_element(value, first + i);
    // From memory that is not pinned: the source has been read when this returns.
    queue.note(cudaMemcpyAsync(target + first, piece, static_cast<size_t>(count) * sizeof(float),
                               cudaMemcpyHostToDevice, queue.stream));
  }
  return end_setup(device, queue, kSetOperation);
}

}  // namespace

gtr_status head_create(Device& device, const gtr_head_shape& shape, gtr_precision precision, Head** head) noexcept {
  static std::atomic<uint64_t> next_id{1};
  *head = nullptr;
  Head measured{};
  const int64_t bytes = place_arrays(nullptr, shape, &measured);
  void* data = host_memory(device).allocate(bytes);
  if (data == nullptr) return GTR_ERROR_OUT_OF_MEMORY;
  std::memset(data, 0, static_cast<size_t>(bytes));
  Head* created = new (data) Head{};
  place_arrays(data, shape, created);
  created->device = &device;
  created->allocated = bytes;
  created->id = next_id.fetch_add(1, std::memory_order_relaxed);
  created->shape = shape;
  created->precision = precision;
  created->completeness.begin(shape);
  const gtr_status status = create_weights(device, *created);
  if (status != GTR_OK) {
    head_destroy(created);
    return status;
  }
  *head = created;
  return GTR_OK;
}

void head_destroy(Head* head) noexcept {
  if (head == nullptr) return;
  for (Linear* linear : head->outer) linear_destroy(linear);
  for (int32_t b = 0; b < head->shape.blocks; ++b) {
    linear_destroy(head->blocks[b].mlp0);
    linear_destroy(head->blocks[b].mlp2);
    linear_destroy(head->blocks[b].modulation);
  }
  Device& device = *head->device;
  device_release(device, head->norms, norm_bytes(head->shape));
  host_memory(device).release(head, head->allocated);
}

gtr_status head_set(Head& head, const char* name, int64_t first_row, const gtr_tensor& value) noexcept {
  HeadTensor tensor;
  if (!head_tensor_find(head.shape, name, &tensor)) return GTR_ERROR_INTERNAL;  // native/src has looked
  gtr_status status = GTR_OK;
  if (Linear** const linear = head_linear_of(head, tensor.layer, tensor.block)) {
    status = linear_set(**linear, first_row, tensor.bias ? nullptr : &value, tensor.bias ? &value : nullptr);
  } else {
    const HeadBlock& block = head.blocks[tensor.block];
    status = set_vector(*head.device, value, (tensor.bias ? block.norm_bias : block.norm_weight) + first_row);
  }
  if (status == GTR_OK) head.completeness.mark(tensor, first_row, value.shape[0]);
  return status;
}

const char* head_missing(const Head& head) noexcept { return head.completeness.missing(); }

}  // namespace gtr::cuda
