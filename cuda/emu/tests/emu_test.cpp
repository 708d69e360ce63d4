// Kernels whose results are known, launched through device.h on the emulator.
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "device.h"
#include "emu/faults.h"

namespace gtr::cuda {
namespace {

int failures = 0;

void expect(bool condition, const char* what, int line) {
  if (condition) return;
  ++failures;
  std::printf("FAILED line %d: %s\n", line, what);
}
#define EXPECT(condition) expect(condition, #condition, __LINE__)

// Memory of the device with a copy that the host sees.
template <typename T>
class Array {
 public:
  explicit Array(size_t count) : host(count) { EXPECT(cudaMalloc(&data_, count * sizeof(T)) == cudaSuccess); }
  explicit Array(std::vector<T> values) : Array(values.size()) {
    host = std::move(values);
    upload();
  }
  ~Array() { cudaFree(data_); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  T* data() { return data_; }
  void upload() { EXPECT(cudaMemcpy(data_, host.data(), bytes(), cudaMemcpyHostToDevice) == cudaSuccess); }
  const std::vector<T>& download() {
    EXPECT(cudaMemcpy(host.data(), data_, bytes(), cudaMemcpyDeviceToHost) == cudaSuccess);
    return host;
  }

  std::vector<T> host;

 private:
  size_t bytes() const { return host.size() * sizeof(T); }
  T* data_ = nullptr;
};

struct TestStream {
  TestStream() { cudaStreamCreateWithFlags(&queue.stream, cudaStreamNonBlocking); }
  ~TestStream() { cudaStreamDestroy(queue.stream); }
  cudaError_t wait() { return cudaStreamSynchronize(queue.stream); }
  Queue queue;
};

// ---- a block's sum: shared memory, barriers, shuffles

__global__ void sum_kernel(const float* values, int count, float* sum) {
  GTR_SHARED(float, parts, 32);
  float mine = 0;
  for (int i = static_cast<int>(threadIdx.x); i < count; i += static_cast<int>(blockDim.x)) mine += values[i];
  for (int mask = 16; mask > 0; mask /= 2) mine += shuffle_xor(mine, mask);
  if (lane_id() == 0) parts[warp_id()] = mine;
  block_sync();
  if (threadIdx.x == 0) {
    float total = 0;
    for (unsigned w = 0; w < blockDim.x / kWarp; ++w) total += parts[w];
    sum[blockIdx.x] = total;
  }
}

void test_sum() {
  std::vector<float> values;
  float expected = 0;
  for (int i = 0; i < 1000; ++i) {
    values.push_back(static_cast<float>(i % 7));
    expected += values.back();
  }
  Array<float> input(values);
  Array<float> sums(3);
  TestStream stream;
  launch<sum_kernel>(stream.queue, 3, 256, 0, input.data(), 1000, sums.data());
  EXPECT(stream.queue.error == cudaSuccess);
  EXPECT(stream.wait() == cudaSuccess);
  for (const float sum : sums.download()) EXPECT(sum == expected);
}

}  // namespace
}  // namespace gtr::cuda

int main() {
  using namespace gtr::cuda;
  test_sum();
  std::printf(failures == 0 ? "passed\n" : "FAILED: %d\n", failures);
  return failures == 0 ? 0 : 1;
}
