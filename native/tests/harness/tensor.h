// A tensor of a test: guarded memory, a view of it, and a watch over every byte that a call must not change.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gtr/gtr.h"
#include "harness/guarded_buffer.h"

namespace gtr::test {

class Trial;

enum class Role {
  kInput,   // no byte may change
  kOutput,  // elements start as NaN; no other byte may change
  kInOut,   // elements have values before and after; no other byte may change
  kHost     // as kInput, but read by the host on every backend
};

// Elements are set and read as double whatever the dtype. Bytes that belong to no element, gaps between strided rows
// included, hold 0xFF: NaN to a kernel that reads them, and a sentinel to one that writes them.
class Tensor {
 public:
  // strides: in elements; empty for contiguous. alignment 0: the element's size.
  Tensor(Trial& trial, const char* name, Role role, gtr_dtype dtype, std::vector<int64_t> shape,
         std::vector<int64_t> strides = {}, size_t alignment = 0);
  ~Tensor();
  Tensor(const Tensor&) = delete;
  Tensor& operator=(const Tensor&) = delete;

  const gtr_tensor* view() const { return &view_; }
  // A view of a part: element (i0, i1, ..) lies `offset + sum i strides` elements from the start of this one's memory.
  gtr_tensor part(int64_t offset, std::vector<int64_t> shape, std::vector<int64_t> strides) const;

  const std::string& name() const { return name_; }
  const std::vector<int64_t>& shape() const { return shape_; }
  int64_t count() const { return count_; }
  gtr_dtype dtype() const { return static_cast<gtr_dtype>(view_.dtype); }

  // index: row-major number of the element.
  double get(int64_t index) const;
  void set(int64_t index, double value);
  template <typename T>
  T& at(int64_t index) const {
    return reinterpret_cast<T*>(buffer_.data())[offset(index)];
  }

  Tensor& fill(const std::function<double(int64_t)>& value);
  Tensor& fill_uniform(double low, double high);
  Tensor& fill_integers(int64_t low, int64_t high);

  // All elements in row-major order, as stored.
  std::vector<double> values() const;

  // Declares that calls must keep this element of an output.
  void leave_alone(int64_t index);
  bool is_left_alone(int64_t index) const;

  // For Trial: around every call.
  void before_call();
  void after_call();

 private:
  int64_t offset(int64_t index) const;
  // Of the accessible bytes.
  bool check_unchanged(size_t first, size_t end);

  Trial& trial_;
  std::string name_;
  Role role_;
  std::vector<int64_t> shape_;
  int64_t count_;
  bool contiguous_ = false;
  GuardedBuffer buffer_;
  gtr_tensor view_{};
  std::vector<unsigned char> before_;
  std::vector<bool> left_alone_;
  void* device_memory_ = nullptr;  // of a backend that does not work in host memory
};

// "[2, 3]"
std::string shape_text(const std::vector<int64_t>& shape);

}  // namespace gtr::test
