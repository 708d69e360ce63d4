#include "matrix.h"

#include <cstring>

#include "runner.h"

namespace gtr::bench {

Matrix::Matrix(gtr_device* device, int64_t rows, int64_t columns, gtr_dtype dtype) : device_(device) {
  const int64_t count = rows * columns;
  tensor_.size = count * (dtype == GTR_F32 ? 4 : 2);
  check(gtr_allocate(device, GTR_MEMORY_DEVICE, tensor_.size, &tensor_.data));
  tensor_.dtype = dtype;
  tensor_.rank = 2;
  tensor_.shape[0] = rows;
  tensor_.shape[1] = columns;
  tensor_.stride[0] = columns;
  tensor_.stride[1] = 1;
  uint32_t state = 1;
  for (int64_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    const float value = static_cast<float>(static_cast<int32_t>(state >> 8) - (1 << 23)) * 0x1p-26f;
    if (dtype == GTR_F32) {
      static_cast<float*>(tensor_.data)[i] = value;
    } else {
      uint32_t bits;
      std::memcpy(&bits, &value, sizeof bits);
      static_cast<uint16_t*>(tensor_.data)[i] = static_cast<uint16_t>(bits >> 16);
    }
  }
}

Matrix::~Matrix() { gtr_free(device_, tensor_.data); }

}  // namespace gtr::bench
