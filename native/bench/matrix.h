// Matrices and arrays for benchmarks.
#pragma once

#include <cstdint>
#include <vector>

#include "gtr/gtr.h"

namespace gtr::bench {

class Session;

// A matrix with small numbers in it, -1/8 to 1/8 times scale, all of them normal. dtype: f32 or bf16. Values of
// weights, which the library packs, lie in host memory.
class Matrix {
 public:
  Matrix(const Session& session, int64_t rows, int64_t columns, gtr_dtype dtype = GTR_F32,
         gtr_memory_space space = GTR_MEMORY_DEVICE, float scale = 1);
  ~Matrix();
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;

  const gtr_tensor& tensor() const { return tensor_; }

  // The first row as a vector.
  gtr_tensor vector() const;

 private:
  gtr_device* device_;
  gtr_tensor tensor_{};
};

// A vector in device memory with given values.
class Array {
 public:
  Array(const Session& session, gtr_dtype dtype, const void* values, int64_t count);
  Array(const Session& session, const std::vector<int32_t>& values)
      : Array(session, GTR_I32, values.data(), static_cast<int64_t>(values.size())) {}
  ~Array();
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  const gtr_tensor& tensor() const { return tensor_; }

  // Its only value, as one for each of `rows` rows.
  gtr_tensor broadcast(int64_t rows) const;

 private:
  gtr_device* device_;
  gtr_tensor tensor_{};
};

// Scratch of so many bytes, or none.
class Scratch {
 public:
  Scratch(const Session& session, int64_t bytes);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  void* data() const { return data_; }
  int64_t size() const { return size_; }

 private:
  gtr_device* device_;
  void* data_ = nullptr;
  int64_t size_;
};

}  // namespace gtr::bench
