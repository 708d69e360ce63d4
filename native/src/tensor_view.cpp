#include "tensor_view.h"

#include <cstring>
#include <initializer_list>

#include "half.h"

namespace gtr {
namespace {

uintptr_t address(const gtr_tensor& tensor) noexcept { return reinterpret_cast<uintptr_t>(tensor.data); }

bool ranges_overlap(uintptr_t a, int64_t a_bytes, uintptr_t b, int64_t b_bytes) noexcept {
  return a < b + static_cast<uint64_t>(b_bytes) && b < a + static_cast<uint64_t>(a_bytes);
}

// Bytes that the dimensions whose stride is no multiple of pitch span: every element lies within that many bytes after
// data, plus a multiple of pitch.
int64_t bytes_within_pitch(const gtr_tensor& tensor, int64_t pitch) noexcept {
  const int64_t element = element_size(tensor.dtype);
  int64_t bytes = element;
  for (int32_t d = 0; d < tensor.rank; ++d) {
    const int64_t stride = tensor.stride[d] * element;
    if (stride % pitch != 0) bytes += (tensor.shape[d] - 1) * stride;
  }
  return bytes;
}

// Both tensors keep to their own columns of a matrix with this pitch.
bool columns_disjoint(const gtr_tensor& a, const gtr_tensor& b, int64_t pitch) noexcept {
  const int64_t a_bytes = bytes_within_pitch(a, pitch);
  const int64_t b_bytes = bytes_within_pitch(b, pitch);
  // Where b starts, in bytes after the start of a, modulo the pitch.
  const uint64_t distance = address(b) - address(a);
  const int64_t b_after_a =
      address(b) >= address(a)
          ? static_cast<int64_t>(distance % static_cast<uint64_t>(pitch))
          : (pitch - static_cast<int64_t>((address(a) - address(b)) % static_cast<uint64_t>(pitch))) % pitch;
  return a_bytes <= b_after_a && b_bytes <= pitch - b_after_a;
}

}  // namespace

int64_t element_size(int32_t dtype) noexcept {
  switch (dtype) {
    case GTR_F32:
    case GTR_I32:
    case GTR_U32:
      return 4;
    case GTR_F16:
    case GTR_BF16:
      return 2;
    case GTR_U64:
      return 8;
    case GTR_U8:
      return 1;
    default:
      return 0;
  }
}

const char* dtype_name(int32_t dtype) noexcept {
  switch (dtype) {
    case GTR_F32:
      return "f32";
    case GTR_F16:
      return "f16";
    case GTR_BF16:
      return "bf16";
    case GTR_I32:
      return "i32";
    case GTR_U32:
      return "u32";
    case GTR_U64:
      return "u64";
    case GTR_U8:
      return "u8";
    default:
      return nullptr;
  }
}

bool is_empty(const gtr_tensor& tensor) noexcept {
  for (int32_t d = 0; d < tensor.rank; ++d) {
    if (tensor.shape[d] == 0) return true;
  }
  return false;
}

int64_t byte_extent(const gtr_tensor& tensor) noexcept {
  int64_t last = 0;
  for (int32_t d = 0; d < tensor.rank; ++d) {
    int64_t step;
    if (__builtin_mul_overflow(tensor.shape[d] - 1, tensor.stride[d], &step) ||
        __builtin_add_overflow(last, step, &last)) {
      return -1;
    }
  }
  int64_t bytes;
  if (__builtin_add_overflow(last, 1, &last) || __builtin_mul_overflow(last, element_size(tensor.dtype), &bytes)) {
    return -1;
  }
  return bytes;
}

gtr_tensor vector_view(const float* data, int64_t size) noexcept {
  gtr_tensor tensor = matrix_view(data, GTR_F32, size, 1, 1);
  tensor.rank = 1;
  tensor.shape[1] = 0;
  tensor.stride[1] = 0;
  return tensor;
}

gtr_tensor matrix_view(const void* data, gtr_dtype dtype, int64_t rows, int64_t columns, int64_t row_stride) noexcept {
  gtr_tensor tensor{};
  tensor.data = const_cast<void*>(data);
  tensor.size = rows == 0 ? 0 : ((rows - 1) * row_stride + columns) * element_size(dtype);
  tensor.dtype = dtype;
  tensor.rank = 2;
  tensor.shape[0] = rows;
  tensor.shape[1] = columns;
  tensor.stride[0] = row_stride;
  tensor.stride[1] = 1;
  return tensor;
}

float float_element(const gtr_tensor& vector, int64_t i) noexcept {
  const int64_t at = i * vector.stride[0];
  if (vector.dtype == GTR_F32) return static_cast<const float*>(vector.data)[at];
  const uint16_t half = static_cast<const uint16_t*>(vector.data)[at];
  if (vector.dtype == GTR_F16) return half_to_float(half);
  const uint32_t bits = static_cast<uint32_t>(half) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

bool elements_distinct(const gtr_tensor& tensor) noexcept {
  int32_t order[GTR_MAX_RANK];
  int32_t dimensions = 0;
  for (int32_t d = 0; d < tensor.rank; ++d) {
    if (tensor.shape[d] == 1) continue;
    int32_t at = dimensions++;
    for (; at > 0 && tensor.stride[order[at - 1]] > tensor.stride[d]; --at) order[at] = order[at - 1];
    order[at] = d;
  }
  int64_t span = 1;  // elements from the first to the last address that the smaller dimensions reach
  for (int32_t i = 0; i < dimensions; ++i) {
    const int32_t d = order[i];
    if (tensor.stride[d] < span) return false;
    span += (tensor.shape[d] - 1) * tensor.stride[d];
  }
  return true;
}

bool same_tensor(const gtr_tensor& a, const gtr_tensor& b) noexcept {
  if (a.data != b.data || a.dtype != b.dtype || a.rank != b.rank) return false;
  for (int32_t d = 0; d < a.rank; ++d) {
    if (a.shape[d] != b.shape[d] || (a.stride[d] != b.stride[d] && a.shape[d] != 1)) return false;
  }
  return true;
}

bool may_overlap(const gtr_tensor& a, const gtr_tensor& b) noexcept {
  if (is_empty(a) || is_empty(b)) return false;
  if (!ranges_overlap(address(a), byte_extent(a), address(b), byte_extent(b))) return false;
  for (const gtr_tensor* tensor : {&a, &b}) {
    for (int32_t d = 0; d < tensor->rank; ++d) {
      const int64_t pitch = tensor->stride[d] * element_size(tensor->dtype);
      if (tensor->shape[d] > 1 && pitch > 0 && columns_disjoint(a, b, pitch)) return false;
    }
  }
  return true;
}

bool may_overlap(const gtr_tensor& tensor, const void* data, int64_t bytes) noexcept {
  if (is_empty(tensor) || bytes == 0) return false;
  return ranges_overlap(address(tensor), byte_extent(tensor), reinterpret_cast<uintptr_t>(data), bytes);
}

}  // namespace gtr
