#include "matrix.h"

#include "runner.h"

namespace gtr::bench {

Matrix::Matrix(gtr_device* device, int64_t rows, int64_t columns) : device_(device) {
  const int64_t count = rows * columns;
  tensor_.size = count * static_cast<int64_t>(sizeof(float));
  check(gtr_allocate(device, GTR_MEMORY_DEVICE, tensor_.size, &tensor_.data));
  tensor_.dtype = GTR_F32;
  tensor_.rank = 2;
  tensor_.shape[0] = rows;
  tensor_.shape[1] = columns;
  tensor_.stride[0] = columns;
  tensor_.stride[1] = 1;
  auto* values = static_cast<float*>(tensor_.data);
  uint32_t state = 1;
  for (int64_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    values[i] = static_cast<float>(static_cast<int32_t>(state >> 8) - (1 << 23)) * 0x1p-26f;
  }
}

Matrix::~Matrix() { gtr_free(device_, tensor_.data); }

}  // namespace gtr::bench
