// What can be known about a gtr_tensor without looking at its elements.
#pragma once

#include <cstdint>

#include "gtr/gtr.h"

namespace gtr {

// Bytes of an element; 0 for what is no gtr_dtype.
int64_t element_size(int32_t dtype) noexcept;

// "f32" and so on; null for what is no gtr_dtype.
const char* dtype_name(int32_t dtype) noexcept;

// Has a zero in its shape.
bool is_empty(const gtr_tensor& tensor) noexcept;

// Bytes from data to the end of the last element, or -1 if that overflows. Shape and strides must not be negative, the
// dtype valid and the tensor not empty.
int64_t byte_extent(const gtr_tensor& tensor) noexcept;

// No two elements share an address. Exact for every tensor whose dimensions nest (each stride reaches over all that
// the smaller ones span), which is every view made by slicing, transposing and reshaping; others are taken for
// overlapping. Same preconditions as byte_extent, which must not be -1.
bool elements_distinct(const gtr_tensor& tensor) noexcept;

// Same address, dtype, shape and strides.
bool same_tensor(const gtr_tensor& a, const gtr_tensor& b) noexcept;

// May a byte belong to elements of both? False if the address ranges are disjoint, or if both are interleaved with one
// common pitch (column ranges of one matrix) and their columns are disjoint; otherwise true.
bool may_overlap(const gtr_tensor& a, const gtr_tensor& b) noexcept;

// Views of contiguous floats, and of rows that lie row_stride elements apart.
gtr_tensor vector_view(const float* data, int64_t size) noexcept;
gtr_tensor matrix_view(const void* data, gtr_dtype dtype, int64_t rows, int64_t columns, int64_t row_stride) noexcept;

// Element i of a vector of floats of any kind (f32, f16, bf16) in memory of the host.
float float_element(const gtr_tensor& vector, int64_t i) noexcept;

// May the tensor have an element within bytes at data?
bool may_overlap(const gtr_tensor& tensor, const void* data, int64_t bytes) noexcept;

}  // namespace gtr
