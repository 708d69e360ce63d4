#include "matrix.h"

#include <algorithm>
#include <cstring>

#include "session.h"

namespace gtr::bench {
namespace {

// Values that are made on the host for a matrix on a card, which then repeats them.
constexpr int64_t kCardPeriod = 1 << 20;

int64_t element_size(gtr_dtype dtype) {
  switch (dtype) {
    case GTR_U64:
      return 8;
    case GTR_BF16:
      return 2;
    default:
      return 4;
  }
}

void fill(void* data, int64_t count, gtr_dtype dtype, float scale) {
  uint32_t state = 1;
  for (int64_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    const float value = static_cast<float>(static_cast<int32_t>(state >> 8) - (1 << 23)) * 0x1p-26f * scale;
    if (dtype == GTR_F32) {
      static_cast<float*>(data)[i] = value;
    } else {
      uint32_t bits;
      std::memcpy(&bits, &value, sizeof bits);
      static_cast<uint16_t*>(data)[i] = static_cast<uint16_t>(bits >> 16);
    }
  }
}

}  // namespace

Matrix::Matrix(const Session& session, int64_t rows, int64_t columns, gtr_dtype dtype, gtr_memory_space space,
               float scale)
    : device_(session.device()) {
  const int64_t count = rows * columns;
  tensor_.size = count * element_size(dtype);
  check(gtr_allocate(device_, space, tensor_.size, &tensor_.data));
  tensor_.dtype = dtype;
  tensor_.rank = 2;
  tensor_.shape[0] = rows;
  tensor_.shape[1] = columns;
  tensor_.stride[0] = columns;
  tensor_.stride[1] = 1;
  if (space == GTR_MEMORY_HOST || !session.is_asynchronous()) {
    fill(tensor_.data, count, dtype, scale);
    return;
  }
  const int64_t period = std::min(count, kCardPeriod) * element_size(dtype);
  std::vector<char> values(static_cast<size_t>(period));
  fill(values.data(), std::min(count, kCardPeriod), dtype, scale);
  auto* data = static_cast<char*>(tensor_.data);
  check(gtr_copy(session.stream(), data, values.data(), period));
  for (int64_t filled = period; filled < tensor_.size; filled *= 2) {
    check(gtr_copy(session.stream(), data + filled, data, std::min(filled, tensor_.size - filled)));
  }
  check(gtr_stream_synchronize(session.stream()));
}

Matrix::~Matrix() { gtr_free(device_, tensor_.data); }

gtr_tensor Matrix::vector() const {
  gtr_tensor tensor = tensor_;
  tensor.rank = 1;
  tensor.shape[0] = tensor_.shape[1];
  tensor.stride[0] = 1;
  return tensor;
}

Array::Array(const Session& session, gtr_dtype dtype, const void* values, int64_t count) : device_(session.device()) {
  tensor_.size = count * element_size(dtype);
  tensor_.dtype = dtype;
  tensor_.rank = 1;
  tensor_.shape[0] = count;
  tensor_.stride[0] = 1;
  check(gtr_allocate(device_, GTR_MEMORY_DEVICE, tensor_.size, &tensor_.data));
  check(gtr_copy(session.stream(), tensor_.data, values, tensor_.size));
  check(gtr_stream_synchronize(session.stream()));
}

Array::~Array() { gtr_free(device_, tensor_.data); }

gtr_tensor Array::broadcast(int64_t rows) const {
  gtr_tensor tensor = tensor_;
  tensor.shape[0] = rows;
  tensor.stride[0] = 0;
  return tensor;
}

Scratch::Scratch(const Session& session, int64_t bytes) : device_(session.device()), size_(bytes) {
  if (bytes > 0) {
    check(gtr_allocate(device_, GTR_MEMORY_DEVICE, bytes, &data_));
  }
}

Scratch::~Scratch() { gtr_free(device_, data_); }

}  // namespace gtr::bench
