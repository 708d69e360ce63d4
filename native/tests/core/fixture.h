// What tests of the C ABI need: an open device and stream, tensors with memory of their own, and the refusals that
// every tensor argument has in common.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <type_traits>
#include <vector>

#include "expect.h"
#include "gtr/gtr.h"

namespace gtr::test {

// A CPU device and a stream. The device is clean when the fixture goes: everything was given back.
class Fixture {
 public:
  explicit Fixture(int32_t threads = 2) {
    gtr_device_options options = {};
    options.backend = GTR_BACKEND_CPU;
    options.threads = threads;
    if (!EXPECT_OK(gtr_device_open(&options, &device)) || !EXPECT_OK(gtr_stream_create(device, nullptr, &stream))) {
      std::exit(result());
    }
  }
  ~Fixture() {
    EXPECT_OK(gtr_stream_destroy(stream));
    EXPECT_OK(gtr_device_close(device));
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  gtr_memory_stats stats() const {
    gtr_memory_stats stats;
    EXPECT_OK(gtr_memory_get_stats(device, &stats));
    return stats;
  }

  gtr_device* device = nullptr;
  gtr_stream* stream = nullptr;
};

// Aligned memory, as scratch must be.
class Scratch {
 public:
  explicit Scratch(int64_t bytes) : size(bytes) {
    if (bytes > 0) data = std::aligned_alloc(GTR_ALIGNMENT, static_cast<size_t>((bytes + 127) / 64 * 64));
  }
  ~Scratch() { std::free(data); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  void* data = nullptr;
  int64_t size;
};

template <typename T>
constexpr int32_t dtype_of() {
  if (std::is_same_v<T, float>) return GTR_F32;
  if (std::is_same_v<T, uint16_t>) return GTR_BF16;
  if (std::is_same_v<T, int32_t>) return GTR_I32;
  if (std::is_same_v<T, uint32_t>) return GTR_U32;
  if (std::is_same_v<T, uint64_t>) return GTR_U64;
  return GTR_U8;
}

// A dense tensor and its elements.
template <typename T>
class Array {
 public:
  explicit Array(std::initializer_list<int64_t> shape, T value = T{}) {
    tensor.dtype = dtype_of<T>();
    tensor.rank = static_cast<int32_t>(shape.size());
    int64_t count = 1;
    for (int32_t d = tensor.rank - 1; d >= 0; --d) {
      tensor.shape[d] = shape.begin()[d];
      tensor.stride[d] = count;
      count *= tensor.shape[d];
    }
    values.assign(static_cast<size_t>(count), value);
    tensor.data = values.data();
    tensor.size = count * static_cast<int64_t>(sizeof(T));
  }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  const gtr_tensor* operator&() const { return &tensor; }

  gtr_tensor tensor = {};
  std::vector<T> values;
};

using Call = std::function<gtr_status(const gtr_tensor*)>;

// `call` makes an otherwise good call with what it gets as the argument. Every spoiled copy of `good`, which is not
// empty and has at least two elements in each dimension but those of the head dim, must be refused by name. fixed:
// dimensions whose size another argument sets.
inline void refuse_bad_tensor(const char* operation, const char* argument, const gtr_tensor& good,
                              std::initializer_list<int> fixed, const Call& call) {
  const auto refused = [&](const gtr_tensor& bad, const char* text) {
    EXPECT_REFUSED(call(&bad), GTR_ERROR_INVALID_ARGUMENT, operation, argument, text);
  };
  gtr_tensor bad = good;
  bad.rank = good.rank - 1;
  refused(bad, ".rank is ");
  bad.rank = good.rank + 1;
  refused(bad, ".rank is ");
  bad.rank = INT32_MIN;
  refused(bad, ".rank is ");

  bad = good;
  for (const int32_t dtype : {-1, 7, 1000, static_cast<int32_t>(good.dtype == GTR_U8 ? GTR_U64 : GTR_U8)}) {
    bad.dtype = dtype;
    refused(bad, ".dtype is ");
  }

  for (int32_t d = 0; d < good.rank; ++d) {
    bad = good;
    bad.shape[d] = -1;
    refused(bad, "; allowed ");
    bad.shape[d] = INT64_MIN;
    refused(bad, "; allowed ");
    bad = good;
    bad.stride[d] = -1;
    refused(bad, ".stride[");
    bad.stride[d] = INT64_MAX;  // overflows, or is not the 1 that is asked for
    if (good.shape[d] > 2) refused(bad, "stride");
  }
  if (good.rank > 1) {
    bad = good;
    bad.stride[good.rank - 1] = 2;
    refused(bad, "allowed is 1 in the last dimension");
  }
  for (const int d : fixed) {
    bad = good;
    bad.shape[d] = good.shape[d] - 1;
    refused(bad, ".shape[");
    bad.shape[d] = good.shape[d] + 1;
    refused(bad, ".shape[");
  }

  bad = good;
  bad.size = good.size - 1;
  refused(bad, ".size is ");
  bad.size = 0;
  refused(bad, ".size is ");
  bad.size = -1;
  refused(bad, ".size is ");
  bad = good;
  bad.data = nullptr;
  refused(bad, ".data is null");
  if (good.dtype != GTR_U8) {
    bad.data = static_cast<char*>(good.data) + 1;
    refused(bad, ".data is at address ");
  }
  // The end of the address space, properly aligned.
  bad.data = reinterpret_cast<void*>(UINTPTR_MAX - 7);
  bad.size = INT64_MAX;
  refused(bad, "beyond the end of the address space");
}

inline void refuse_null(const char* operation, const char* argument, const Call& call) {
  EXPECT_REFUSED(call(nullptr), GTR_ERROR_INVALID_ARGUMENT, operation, argument, " is null");
}

// An output: also elements that overlap, and memory of each input.
inline void refuse_bad_output(const char* operation, const char* argument, const gtr_tensor& good,
                              std::initializer_list<int> fixed, const std::vector<const gtr_tensor*>& inputs,
                              const Call& call) {
  refuse_null(operation, argument, call);
  refuse_bad_tensor(operation, argument, good, fixed, call);
  gtr_tensor bad = good;
  bad.stride[0] = 0;
  EXPECT_REFUSED(call(&bad), GTR_ERROR_INVALID_ARGUMENT, operation, argument, "elements overlap");
  for (const gtr_tensor* input : inputs) {
    bad = good;
    bad.data = input->data;
    EXPECT_REFUSED(call(&bad), GTR_ERROR_INVALID_ARGUMENT, operation, argument, "overlaps ");
  }
}

// call(scratch, size); required bytes as the *_scratch_size function says, of a `scratch` of at least that many and 1.
inline void refuse_bad_scratch(const char* operation, const Scratch& scratch, int64_t required,
                               const std::function<gtr_status(void*, int64_t)>& call) {
  if (required == 0) {
    EXPECT_OK(call(nullptr, 0));
    return;
  }
  EXPECT_REFUSED(call(nullptr, required), GTR_ERROR_INVALID_ARGUMENT, operation, "scratch", "scratch is null");
  EXPECT_REFUSED(call(static_cast<char*>(scratch.data) + 8, required), GTR_ERROR_INVALID_ARGUMENT, operation, "scratch",
                 "allowed are multiples of 64");
  EXPECT_REFUSED(call(scratch.data, required - 1), GTR_ERROR_INVALID_ARGUMENT, operation, "scratch_size",
                 "scratch_size is ");
  EXPECT_REFUSED(call(scratch.data, -1), GTR_ERROR_INVALID_ARGUMENT, operation, "scratch_size", "scratch_size is -1");
  EXPECT_OK(call(scratch.data, required));
}

// Calls on a stream: none, and one of another device together with weights of this one is for the callers to test.
inline void refuse_null_stream(const char* operation, const std::function<gtr_status(gtr_stream*)>& call) {
  EXPECT_REFUSED(call(nullptr), GTR_ERROR_INVALID_ARGUMENT, operation, "stream", "stream is null");
}

}  // namespace gtr::test
