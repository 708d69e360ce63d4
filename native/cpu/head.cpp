#include "head.h"

#include <cstring>
#include <new>

#include "head_layers.h"
#include "head_scratch.h"
#include "memory.h"
#include "tensor_view.h"

namespace gtr::cpu {
namespace {

// Lays out the head's own allocation; returns its size.
int64_t place_arrays(void* memory, const gtr_head_shape& shape, Head* head) noexcept {
  HeadScratch layout(memory);
  layout.take<Head>(1);
  head->blocks = layout.take<HeadBlock>(shape.blocks);
  head->completeness = HeadCompleteness::place(layout, shape);
  float* const norms = layout.take<float>(2 * int64_t{shape.blocks} * shape.width);
  if (memory != nullptr) {
    for (int64_t b = 0; b < shape.blocks; ++b) {
      head->blocks[b].norm_weight = norms + 2 * b * shape.width;
      head->blocks[b].norm_bias = norms + (2 * b + 1) * shape.width;
    }
  }
  return layout.size();
}

}  // namespace

gtr_status head_create(DeviceMemory& memory, Tier tier, const gtr_head_shape& shape, gtr_precision precision,
                       Head** head) noexcept {
  *head = nullptr;
  Head measured{};
  const int64_t bytes = place_arrays(nullptr, shape, &measured);
  void* data = memory.allocate(bytes);
  if (data == nullptr) return GTR_ERROR_OUT_OF_MEMORY;
  std::memset(data, 0, static_cast<size_t>(bytes));
  Head* created = new (data) Head{};
  place_arrays(data, shape, created);
  created->memory = &memory;
  created->allocated = bytes;
  created->shape = shape;
  created->precision = precision;
  created->completeness.begin(shape);

  for (int64_t number = 0; number < head_tensor_count(shape); ++number) {
    const HeadTensor tensor = head_tensor_at(number);
    int64_t rows, columns;
    head_tensor_size(shape, tensor, &rows, &columns);
    Linear** const linear = head_linear_of(*created, tensor.layer, tensor.block);
    if (tensor.bias || linear == nullptr) continue;
    const gtr_status status =
        linear_create(memory, tier, rows, columns, head_layer_precision(created->precision, tensor.layer), linear);
    if (status != GTR_OK) {
      head_destroy(created);
      return status;
    }
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
  head->memory->release(head, head->allocated);
}

void head_set(Head& head, const char* name, int64_t first_row, const gtr_tensor& value) noexcept {
  HeadTensor tensor;
  if (!head_tensor_find(head.shape, name, &tensor)) return;  // native/src has looked
  if (Linear** const linear = head_linear_of(head, tensor.layer, tensor.block)) {
    linear_set(**linear, first_row, tensor.bias ? nullptr : &value, tensor.bias ? &value : nullptr);
  } else {
    const HeadBlock& block = head.blocks[tensor.block];
    float* const target = (tensor.bias ? block.norm_bias : block.norm_weight) + first_row;
    for (int64_t i = 0; i < value.shape[0]; ++i) target[i] = float_element(value, i);
  }
  head.completeness.mark(tensor, first_row, value.shape[0]);
}

const char* head_missing(const Head& head) noexcept { return head.completeness.missing(); }

}  // namespace gtr::cpu
