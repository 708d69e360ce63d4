// What the tile check's files share: memory that both sides see in turn, a stream, and comparisons that count.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "device.h"
#include "queue.h"

namespace gtr::cuda::tiles {

// Ends the program with what failed: without the runtime there is nothing to compare.
inline void require(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::printf("FAILED %s: %s\n", what, cudaGetErrorString(error));
  std::exit(1);
}

// Device memory with a copy on the host.
template <typename T>
class Array {
 public:
  explicit Array(size_t count) : Array(std::vector<T>(count)) {}
  explicit Array(std::vector<T> values) : host(std::move(values)) {
    require(cudaMalloc(&data_, bytes()), "cudaMalloc");
    require(cudaMemcpy(data_, host.data(), bytes(), cudaMemcpyHostToDevice), "copy to the device");
  }
  ~Array() { cudaFree(data_); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  T* device() { return static_cast<T*>(data_); }
  const std::vector<T>& download() {
    require(cudaMemcpy(host.data(), data_, bytes(), cudaMemcpyDeviceToHost), "copy from the device");
    return host;
  }

  std::vector<T> host;

 private:
  size_t bytes() const { return host.size() * sizeof(T); }
  void* data_ = nullptr;
};

// One launch and the wait for its end.
template <auto kKernel, typename... Arguments>
void run(int blocks, int threads, int64_t shared_bytes, Arguments... arguments) {
  Queue queue;
  require(cudaStreamCreateWithFlags(&queue.stream, cudaStreamNonBlocking), "cudaStreamCreate");
  launch<kKernel>(queue, dim3(static_cast<unsigned>(blocks)), threads, shared_bytes, arguments...);
  require(queue.error, "launch");
  require(cudaStreamSynchronize(queue.stream), "kernel");
  require(cudaStreamDestroy(queue.stream), "cudaStreamDestroy");
}

// Compares what a function of device.h gave with what its documentation says, element by element, and prints the first
// few that differ.
class Check {
 public:
  explicit Check(const char* function) : function_(function) {}
  ~Check();
  Check(const Check&) = delete;
  Check& operator=(const Check&) = delete;

  // The same bits.
  void bits(int64_t index, uint32_t found, uint32_t expected);
  // Both NaN, or err <= absolute + relative * |expected|; infinities must be equal.
  void close(int64_t index, double found, double expected, double absolute, double relative);

 private:
  void fail(int64_t index, const std::string& found, const std::string& expected);

  const char* function_;
  int64_t compared_ = 0;
  int64_t failed_ = 0;
};

// Of all checks so far.
int64_t failures();

inline uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline float float_of(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Floats worth a look: zeros, denormals, the borders of every rounding to bfloat16, infinities, NaN; and random ones.
std::vector<float> special_floats();

// One file each.
void check_multiply();
void check_group_multiply();
void check_load_matrix();
void check_warp();
void check_conversions();
void check_arithmetic();
void check_copies();
void check_memory();
void check_launches();

}  // namespace gtr::cuda::tiles
