#include "check.h"

#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "errors.h"
#include "tensor_view.h"

namespace gtr {
namespace {

// "f32, bf16"
void describe(uint32_t dtypes, char* text, size_t size) noexcept {
  size_t length = 0;
  text[0] = '\0';
  for (int32_t dtype = 0; dtype_name(dtype) != nullptr && length < size; ++dtype) {
    if ((dtypes >> dtype & 1) == 0) continue;
    length += static_cast<size_t>(
        std::snprintf(text + length, size - length, "%s%s", length == 0 ? "" : ", ", dtype_name(dtype)));
  }
}

bool one_dtype(uint32_t dtypes) noexcept { return (dtypes & (dtypes - 1)) == 0; }

}  // namespace

bool Check::fail(gtr_status status, const char* argument, const char* format, ...) noexcept {
  if (!ok()) return false;
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  status_ = gtr::fail(status, operation_, argument, "%s", text);
  return false;
}

bool Check::not_null(const char* argument, const void* pointer) noexcept {
  if (!ok()) return false;
  return pointer != nullptr || fail(GTR_ERROR_INVALID_ARGUMENT, argument, "%s is null", argument);
}

bool Check::refuse_value(const char* argument, const char* what, int64_t value, int64_t lowest, int64_t highest,
                         const char* meaning) noexcept {
  char allowed[64];
  if (highest == INT64_MAX) {
    std::snprintf(allowed, sizeof allowed, "are %lld and more", static_cast<long long>(lowest));
  } else if (lowest == highest) {
    std::snprintf(allowed, sizeof allowed, "is %lld", static_cast<long long>(lowest));
  } else {
    std::snprintf(allowed, sizeof allowed, "are %lld to %lld", static_cast<long long>(lowest),
                  static_cast<long long>(highest));
  }
  const bool named = meaning[0] != '\0';
  return fail(GTR_ERROR_INVALID_ARGUMENT, argument, "%s is %lld; allowed %s%s%s%s", what, static_cast<long long>(value),
              allowed, named ? " (" : "", meaning, named ? ")" : "");
}

bool Check::range(const char* argument, int64_t value, int64_t lowest, int64_t highest, const char* meaning) noexcept {
  if (!ok()) return false;
  return (lowest <= value && value <= highest) || refuse_value(argument, argument, value, lowest, highest, meaning);
}

bool Check::size(const char* argument, const gtr_tensor& tensor, int32_t dimension, int64_t lowest, int64_t highest,
                 const char* meaning) noexcept {
  if (!ok()) return false;
  const int64_t value = tensor.shape[dimension];
  if (lowest <= value && value <= highest) return true;
  char what[64];
  std::snprintf(what, sizeof what, "%s.shape[%d]", argument, dimension);
  return refuse_value(argument, what, value, lowest, highest, meaning);
}

bool Check::finite(const char* argument, double value) noexcept {
  if (!ok()) return false;
  return std::isfinite(value) ||
         fail(GTR_ERROR_INVALID_ARGUMENT, argument, "%s is %g; allowed are finite numbers", argument, value);
}

bool Check::finite_not_negative(const char* argument, double value) noexcept {
  if (!ok()) return false;
  return (std::isfinite(value) && value >= 0) ||
         fail(GTR_ERROR_INVALID_ARGUMENT, argument, "%s is %g; allowed are finite numbers from 0", argument, value);
}

bool Check::finite_positive(const char* argument, double value) noexcept {
  if (!ok()) return false;
  return (std::isfinite(value) && value > 0) ||
         fail(GTR_ERROR_INVALID_ARGUMENT, argument, "%s is %g; allowed are finite numbers above 0", argument, value);
}

bool Check::precision(int32_t value) noexcept {
  if (!ok()) return false;
  return value == GTR_PRECISION_F32 || value == GTR_PRECISION_BF16 ||
         fail(GTR_ERROR_INVALID_ARGUMENT, "precision", "precision is %d; allowed are %d (f32), %d (bf16)", value,
              GTR_PRECISION_F32, GTR_PRECISION_BF16);
}

bool Check::tensor(const char* argument, const gtr_tensor* tensor, uint32_t dtypes, std::initializer_list<Dim> dims,
                   Layout layout) noexcept {
  if (!not_null(argument, tensor)) return false;
  const auto refuse = GTR_ERROR_INVALID_ARGUMENT;
  const gtr_tensor& t = *tensor;

  const int32_t rank = static_cast<int32_t>(dims.size());
  if (t.rank != rank) return fail(refuse, argument, "%s.rank is %d; allowed is %d", argument, t.rank, rank);
  if (element_size(t.dtype) == 0 || (dtypes >> t.dtype & 1) == 0) {
    char allowed[64];
    describe(dtypes, allowed, sizeof allowed);
    const char* be = one_dtype(dtypes) ? "is" : "are";
    if (element_size(t.dtype) == 0) {
      return fail(refuse, argument, "%s.dtype is %d; allowed %s %s", argument, t.dtype, be, allowed);
    }
    return fail(refuse, argument, "%s.dtype is %s; allowed %s %s", argument, dtype_name(t.dtype), be, allowed);
  }
  for (int32_t d = 0; d < rank; ++d) {
    const Dim& wanted = dims.begin()[d];
    const long long size = t.shape[d];
    if (size < 0) return fail(refuse, argument, "%s.shape[%d] is %lld; allowed are 0 and more", argument, d, size);
    if (wanted.size >= 0 && size != wanted.size) {
      return fail(refuse, argument, "%s.shape[%d] is %lld; allowed is %lld (%s)", argument, d, size,
                  static_cast<long long>(wanted.size), wanted.meaning);
    }
    const long long stride = t.stride[d];
    if (stride < 0) return fail(refuse, argument, "%s.stride[%d] is %lld; allowed are 0 and more", argument, d, stride);
    if (d == rank - 1 && (rank > 1 || layout == kDense) && size > 1 && stride != 1) {
      return fail(refuse, argument, "%s.stride[%d] is %lld; allowed is 1 in the last dimension", argument, d, stride);
    }
  }
  if (t.size < 0) {
    return fail(refuse, argument, "%s.size is %lld bytes; allowed are 0 and more", argument,
                static_cast<long long>(t.size));
  }
  if (is_empty(t)) return true;

  if (t.data == nullptr) return fail(refuse, argument, "%s.data is null in a tensor that is not empty", argument);
  const uintptr_t address = reinterpret_cast<uintptr_t>(t.data);
  if (address % static_cast<uintptr_t>(element_size(t.dtype)) != 0) {
    return fail(refuse, argument, "%s.data is at address 0x%llx; allowed are multiples of %lld (the size of %s)",
                argument, static_cast<unsigned long long>(address), static_cast<long long>(element_size(t.dtype)),
                dtype_name(t.dtype));
  }
  const int64_t extent = byte_extent(t);
  if (extent < 0) {
    return fail(refuse, argument, "%s has shape and strides whose extent overflows 64 bits", argument);
  }
  if (extent > t.size) {
    return fail(refuse, argument, "%s.size is %lld bytes; its shape and strides reach over %lld", argument,
                static_cast<long long>(t.size), static_cast<long long>(extent));
  }
  if (static_cast<uint64_t>(extent) > UINTPTR_MAX - address) {
    return fail(refuse, argument, "%s reaches beyond the end of the address space", argument);
  }
  return true;
}

void Check::remember(const char* argument, const gtr_tensor* tensor) noexcept {
  if (seen_count_ == kMaxTensors) {
    fail(GTR_ERROR_INTERNAL, argument, "more tensors than check.h provides for");
    return;
  }
  seen_[seen_count_++] = {argument, tensor};
}

bool Check::input(const char* argument, const gtr_tensor* tensor, uint32_t dtypes, std::initializer_list<Dim> dims,
                  Layout layout) noexcept {
  if (!this->tensor(argument, tensor, dtypes, dims, layout)) return false;
  remember(argument, tensor);
  return ok();
}

bool Check::optional_input(const char* argument, const gtr_tensor* tensor, uint32_t dtypes,
                           std::initializer_list<Dim> dims, Layout layout) noexcept {
  return tensor == nullptr ? ok() : input(argument, tensor, dtypes, dims, layout);
}

bool Check::output(const char* argument, const gtr_tensor* tensor, uint32_t dtypes, std::initializer_list<Dim> dims,
                   const char* may_be_same) noexcept {
  if (!this->tensor(argument, tensor, dtypes, dims, kDefault)) return false;
  if (!is_empty(*tensor)) {
    if (!elements_distinct(*tensor)) {
      return fail(GTR_ERROR_INVALID_ARGUMENT, argument,
                  "%s has strides by which its elements overlap; allowed in an output is one address per element",
                  argument);
    }
    for (int i = 0; i < seen_count_; ++i) {
      const gtr_tensor& other = *seen_[i].tensor;
      const bool may_be = may_be_same != nullptr && std::strcmp(seen_[i].argument, may_be_same) == 0;
      if (may_be && same_tensor(*tensor, other)) continue;
      if (may_overlap(*tensor, other)) {
        return fail(GTR_ERROR_INVALID_ARGUMENT, argument, "%s overlaps %s; allowed is memory of its own%s", argument,
                    seen_[i].argument, may_be ? ", or exactly the same tensor" : "");
      }
    }
  }
  remember(argument, tensor);
  return ok();
}

bool Check::scratch(const void* scratch, int64_t scratch_size, int64_t required) noexcept {
  if (!ok() || required == 0) return ok();
  if (!not_null("scratch", scratch)) return false;
  const uintptr_t address = reinterpret_cast<uintptr_t>(scratch);
  if (address % GTR_ALIGNMENT != 0) {
    return fail(GTR_ERROR_INVALID_ARGUMENT, "scratch", "scratch is at address 0x%llx; allowed are multiples of %d",
                static_cast<unsigned long long>(address), GTR_ALIGNMENT);
  }
  if (scratch_size < required) {
    return fail(GTR_ERROR_INVALID_ARGUMENT, "scratch_size", "scratch_size is %lld bytes; allowed are %lld and more",
                static_cast<long long>(scratch_size), static_cast<long long>(required));
  }
  if (static_cast<uint64_t>(required) > UINTPTR_MAX - address) {
    return fail(GTR_ERROR_INVALID_ARGUMENT, "scratch", "scratch reaches beyond the end of the address space");
  }
  for (int i = 0; i < seen_count_; ++i) {
    if (may_overlap(*seen_[i].tensor, scratch, required)) {
      return fail(GTR_ERROR_INVALID_ARGUMENT, "scratch", "scratch overlaps %s; allowed is memory of its own",
                  seen_[i].argument);
    }
  }
  return true;
}

StreamUse::StreamUse(Check& check, const gtr_stream* stream) noexcept {
  if (!check.not_null("stream", stream)) return;
  if (!stream->use.try_alone()) {
    check.fail(GTR_ERROR_BUSY, "stream", "stream is in use by another thread; allowed is one at a time");
    return;
  }
  stream_ = stream;
}

StreamUse::~StreamUse() {
  if (stream_ != nullptr) stream_->use.end_alone();
}

gtr_status cancelled(const Check& check) noexcept {
  return fail(GTR_ERROR_CANCELLED, check.operation(), "stream",
              "the stream was cancelled; gtr_stream_reset makes it usable again");
}

}  // namespace gtr
