// Token bookkeeping: rows picked, placed and summed by index. Indices were checked before, see content_checks.h.
#include <algorithm>
#include <cstring>

#include "operations.h"
#include "pool.h"

namespace gtr::cpu {
namespace {

// About this many bytes are worth waking a thread for.
constexpr int64_t kBytesPerTask = 64 << 10;

int32_t index_at(const gtr_tensor& index, int64_t i) noexcept {
  return static_cast<const int32_t*>(index.data)[i * index.stride[0]];
}

int64_t element_size(const gtr_tensor& tensor) noexcept { return tensor.dtype == GTR_BF16 ? 2 : 4; }

// Calls body(first, end) for ranges that cover 0..rows-1.
template <typename Body>
void for_row_ranges(const Context& context, int64_t rows, int64_t row_bytes, const Body& body) noexcept {
  const int64_t per_task = std::max<int64_t>(1, kBytesPerTask / std::max<int64_t>(1, row_bytes));
  context.pool->parallel_for((rows + per_task - 1) / per_task,
                             [&](int64_t task) { body(task * per_task, std::min(rows, (task + 1) * per_task)); });
}

}  // namespace

gtr_status embed(const Context& context, const gtr_tensor& first, const gtr_tensor* second, const gtr_tensor& index,
                 const gtr_tensor* position, const gtr_tensor* position_index, const gtr_tensor& y) noexcept {
  const int64_t width = y.shape[1];
  for_row_ranges(context, y.shape[0], width * element_size(y), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const int64_t i = index_at(index, r);
      const gtr_tensor& table = i >= 0 ? first : *second;
      const float* source = static_cast<const float*>(table.data) + (i >= 0 ? i : -1 - i) * table.stride[0];
      float* target = static_cast<float*>(y.data) + r * y.stride[0];
      if (position == nullptr) {
        std::copy_n(source, width, target);
        continue;
      }
      const float* term =
          static_cast<const float*>(position->data) + index_at(*position_index, r) * position->stride[0];
      for (int64_t c = 0; c < width; ++c) target[c] = source[c] + term[c];
    }
  });
  return GTR_OK;
}

gtr_status gather(const Context& context, const gtr_tensor& x, const gtr_tensor& index, const gtr_tensor& y) noexcept {
  const int64_t size = element_size(x);
  const int64_t row_bytes = y.shape[1] * size;
  for_row_ranges(context, y.shape[0], row_bytes, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      std::memcpy(static_cast<char*>(y.data) + r * y.stride[0] * size,
                  static_cast<const char*>(x.data) + index_at(index, r) * x.stride[0] * size,
                  static_cast<size_t>(row_bytes));
    }
  });
  return GTR_OK;
}

gtr_status scatter(const Context& context, const gtr_tensor& x, const gtr_tensor& index, const gtr_tensor& y) noexcept {
  // Threads take columns, not rows: each goes through all rows in order, so that of rows with one index the last wins.
  const int64_t size = element_size(x);
  const int64_t row_bytes = x.shape[1] * size;
  constexpr int64_t kCacheLine = 64;
  const int64_t wanted = std::max(kCacheLine, kBytesPerTask / std::max<int64_t>(1, x.shape[0]));
  const int64_t per_task = (wanted + kCacheLine - 1) / kCacheLine * kCacheLine;
  context.pool->parallel_for((row_bytes + per_task - 1) / per_task, [&](int64_t task) {
    const int64_t begin = task * per_task;
    const size_t bytes = static_cast<size_t>(std::min(per_task, row_bytes - begin));
    for (int64_t r = 0; r < x.shape[0]; ++r) {
      std::memcpy(static_cast<char*>(y.data) + index_at(index, r) * y.stride[0] * size + begin,
                  static_cast<const char*>(x.data) + r * x.stride[0] * size + begin, bytes);
    }
  });
  return GTR_OK;
}

}  // namespace gtr::cpu
