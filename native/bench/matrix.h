// Matrices in device memory for benchmarks.
#pragma once

#include <cstdint>

#include "gtr/gtr.h"

namespace gtr::bench {

// A matrix with small numbers in it, all of them normal. dtype: f32 or bf16.
class Matrix {
 public:
  Matrix(gtr_device* device, int64_t rows, int64_t columns, gtr_dtype dtype = GTR_F32);
  ~Matrix();
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;

  const gtr_tensor& tensor() const { return tensor_; }

 private:
  gtr_device* device_;
  gtr_tensor tensor_{};
};

}  // namespace gtr::bench
