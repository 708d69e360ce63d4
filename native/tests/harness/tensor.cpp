#include "harness/tensor.h"

#include <algorithm>
#include <cstring>

#include "harness/bfloat16.h"
#include "harness/float16.h"
#include "harness/trial.h"

namespace gtr::test {
namespace {

size_t size_of(gtr_dtype dtype) {
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
  }
  throw Failure("unknown dtype");
}

int64_t product(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t extent : shape) count *= extent;
  return count;
}

std::vector<int64_t> contiguous(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size() - 1; i-- > 0;) strides[i] = strides[i + 1] * shape[i + 1];
  return strides;
}

// Elements from the first to the last one, both included.
int64_t span(const std::vector<int64_t>& shape, const std::vector<int64_t>& strides) {
  int64_t last = 0;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0) return 0;
    last += (shape[i] - 1) * strides[i];
  }
  return last + 1;
}

}  // namespace

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

Tensor::Tensor(Trial& trial, const char* name, Role role, gtr_dtype dtype, std::vector<int64_t> shape,
               std::vector<int64_t> strides, size_t alignment)
    : trial_(trial),
      name_(name),
      role_(role),
      shape_(std::move(shape)),
      count_(product(shape_)),
      buffer_(size_of(dtype) * static_cast<size_t>(span(shape_, strides.empty() ? contiguous(shape_) : strides)),
              alignment ? alignment : size_of(dtype), trial.placement()) {
  if (strides.empty()) strides = contiguous(shape_);
  contiguous_ = strides == contiguous(shape_);
  std::memset(buffer_.accessible(), 0xFF, buffer_.accessible_size());
  view_.data = buffer_.data();
  view_.size = static_cast<int64_t>(buffer_.size());
  view_.dtype = dtype;
  view_.rank = static_cast<int32_t>(shape_.size());
  std::copy(shape_.begin(), shape_.end(), view_.shape);
  std::copy(strides.begin(), strides.end(), view_.stride);
  if (!trial_.target().is_cpu() && role_ != Role::kHost) {
    require_ok(gtr_allocate(trial_.target().device(), GTR_MEMORY_DEVICE,
                            std::max<int64_t>(1, static_cast<int64_t>(buffer_.accessible_size())), &device_memory_),
               "gtr_allocate");
    view_.data = static_cast<unsigned char*>(device_memory_) + (buffer_.data() - buffer_.accessible());
  }
  trial_.add(this);
}

Tensor::~Tensor() {
  trial_.remove(this);
  gtr_free(trial_.target().device(), device_memory_);
}

gtr_tensor Tensor::part(int64_t first, std::vector<int64_t> shape, std::vector<int64_t> strides) const {
  gtr_tensor view = view_;
  const int64_t bytes = first * static_cast<int64_t>(size_of(dtype()));
  view.data = static_cast<unsigned char*>(view_.data) + bytes;
  view.size = view_.size - bytes;
  view.rank = static_cast<int32_t>(shape.size());
  std::copy(shape.begin(), shape.end(), view.shape);
  std::copy(strides.begin(), strides.end(), view.stride);
  return view;
}

int64_t Tensor::offset(int64_t index) const {
  if (contiguous_) return index;
  int64_t offset = 0;
  for (size_t i = shape_.size(); i-- > 0;) {
    offset += index % shape_[i] * view_.stride[i];
    index /= shape_[i];
  }
  return offset;
}

double Tensor::get(int64_t index) const {
  switch (dtype()) {
    case GTR_F32:
      return static_cast<double>(at<float>(index));
    case GTR_F16:
      return from_float16(at<uint16_t>(index));
    case GTR_BF16:
      return static_cast<double>(from_bfloat16(at<uint16_t>(index)));
    case GTR_I32:
      return at<int32_t>(index);
    case GTR_U32:
      return at<uint32_t>(index);
    case GTR_U64:
      return static_cast<double>(at<uint64_t>(index));
    case GTR_U8:
      return at<uint8_t>(index);
  }
  return 0;
}

void Tensor::set(int64_t index, double value) {
  switch (dtype()) {
    case GTR_F32:
      at<float>(index) = static_cast<float>(value);
      break;
    case GTR_F16:
      at<uint16_t>(index) = to_float16(value);
      break;
    case GTR_BF16:
      at<uint16_t>(index) = to_bfloat16(static_cast<float>(value));
      break;
    case GTR_I32:
      at<int32_t>(index) = static_cast<int32_t>(value);
      break;
    case GTR_U32:
      at<uint32_t>(index) = static_cast<uint32_t>(value);
      break;
    case GTR_U64:
      at<uint64_t>(index) = static_cast<uint64_t>(value);
      break;
    case GTR_U8:
      at<uint8_t>(index) = static_cast<uint8_t>(value);
      break;
  }
}

Tensor& Tensor::fill(const std::function<double(int64_t)>& value) {
  for (int64_t i = 0; i < count_; ++i) set(i, value(i));
  return *this;
}

Tensor& Tensor::fill_uniform(double low, double high) {
  for (int64_t i = 0; i < count_; ++i) set(i, trial_.random().uniform(low, high));
  return *this;
}

Tensor& Tensor::fill_integers(int64_t low, int64_t high) {
  for (int64_t i = 0; i < count_; ++i) set(i, static_cast<double>(trial_.random().integer(low, high)));
  return *this;
}

std::vector<double> Tensor::values() const {
  std::vector<double> values(static_cast<size_t>(count_));
  for (int64_t i = 0; i < count_; ++i) values[static_cast<size_t>(i)] = get(i);
  return values;
}

void Tensor::leave_alone(int64_t index) {
  left_alone_.resize(static_cast<size_t>(count_));
  left_alone_[static_cast<size_t>(index)] = true;
}

bool Tensor::is_left_alone(int64_t index) const {
  return !left_alone_.empty() && left_alone_[static_cast<size_t>(index)];
}

void Tensor::before_call() {
  if (role_ == Role::kOutput) std::memset(buffer_.data(), 0xFF, buffer_.size());
  before_.assign(buffer_.accessible(), buffer_.accessible() + buffer_.accessible_size());
  if (device_memory_) {
    require_ok(gtr_copy(trial_.target().copies(), device_memory_, buffer_.accessible(),
                        static_cast<int64_t>(buffer_.accessible_size())),
               "gtr_copy");
  }
}

void Tensor::after_call() {
  if (device_memory_) {
    require_ok(gtr_copy(trial_.target().copies(), buffer_.accessible(), device_memory_,
                        static_cast<int64_t>(buffer_.accessible_size())),
               "gtr_copy");
    trial_.target().wait_for_copies();
  }
  const auto start = static_cast<size_t>(buffer_.data() - buffer_.accessible());
  if (role_ == Role::kInput || role_ == Role::kHost) {
    check_unchanged(0, before_.size());
    return;
  }
  check_unchanged(0, start);
  check_unchanged(start + buffer_.size(), before_.size());
  if (contiguous_ && left_alone_.empty()) return;
  const size_t element = size_of(dtype());
  std::vector<bool> writable(buffer_.size());
  for (int64_t i = 0; i < count_; ++i) {
    if (is_left_alone(i)) continue;
    std::fill_n(writable.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(offset(i)) * element), element,
                true);
  }
  for (size_t i = 0; i < buffer_.size(); ++i) {
    if (!writable[i] && !check_unchanged(start + i, start + i + 1)) return;
  }
}

bool Tensor::check_unchanged(size_t first, size_t end) {
  const unsigned char* now = buffer_.accessible();
  if (first == end || std::memcmp(now + first, before_.data() + first, end - first) == 0) return true;
  while (now[first] == before_[first]) ++first;
  trial_.fail(
      "%s %s: byte %lld from its start was 0x%02x and became 0x%02x, though it belongs to no element that may "
      "change",
      name_.c_str(), shape_text(shape_).c_str(), static_cast<long long>(now + first - buffer_.data()), before_[first],
      now[first]);
  return false;
}

}  // namespace gtr::test
