// What the emulator's own tests share.
#pragma once

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "device.h"
#include "emu/faults.h"
#include "emu/settings.h"

namespace gtr::cuda::test {

extern int failures;
void expect(bool condition, const char* what, const char* file, int line);
#define EXPECT(condition) ::gtr::cuda::test::expect(condition, #condition, __FILE__, __LINE__)
#define EXPECT_OK(call) EXPECT((call) == cudaSuccess)

// Memory of the device, and a copy of it that the host sees.
template <typename T>
class Array {
 public:
  explicit Array(size_t count) : host(count) { EXPECT_OK(cudaMalloc(&data_, bytes())); }
  explicit Array(std::vector<T> values) : Array(values.size()) {
    host = std::move(values);
    EXPECT_OK(cudaMemcpy(data_, host.data(), bytes(), cudaMemcpyHostToDevice));
  }
  ~Array() { cudaFree(data_); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  T* data() { return data_; }
  const std::vector<T>& download() {
    EXPECT_OK(cudaMemcpy(host.data(), data_, bytes(), cudaMemcpyDeviceToHost));
    return host;
  }

  std::vector<T> host;

 private:
  size_t bytes() const { return host.size() * sizeof(T); }
  T* data_ = nullptr;
};

struct Stream {
  Stream() { EXPECT_OK(cudaStreamCreateWithFlags(&queue.stream, cudaStreamNonBlocking)); }
  ~Stream() { cudaStreamDestroy(queue.stream); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  cudaError_t wait() { return queue.error != cudaSuccess ? queue.error : cudaStreamSynchronize(queue.stream); }
  Queue queue;
};

// Launches on a stream of its own and waits; must succeed.
template <auto kKernel, typename... Arguments>
void run(dim3 grid, int threads, int64_t shared_bytes, Arguments... arguments) {
  Stream stream;
  launch<kKernel>(stream.queue, grid, threads, shared_bytes, arguments...);
  EXPECT_OK(stream.wait());
}

// The same for a launch that must fail while it executes, with a message that contains `part`. The device is lost until
// it is reset, which this does.
template <auto kKernel, typename... Arguments>
void run_failing(const char* part, bool cooperative, dim3 grid, int threads, int64_t shared_bytes,
                 Arguments... arguments) {
  {
    Stream stream;
    if (cooperative) {
      launch_cooperative<kKernel>(stream.queue, grid, threads, shared_bytes, arguments...);
    } else {
      launch<kKernel>(stream.queue, grid, threads, shared_bytes, arguments...);
    }
    EXPECT_OK(stream.queue.error);
    EXPECT(stream.wait() == cudaErrorLaunchFailure);
    EXPECT(cudaDeviceSynchronize() == cudaErrorLaunchFailure);
    EXPECT(cudaGetLastError() == cudaErrorLaunchFailure && cudaGetLastError() == cudaErrorLaunchFailure);
    const std::string message = gtr_emu_last_failure();
    expect(message.find(part) != std::string::npos, (message + " | has no: " + part).c_str(), __FILE__, __LINE__);
  }
  cudaDeviceReset();
  EXPECT_OK(cudaGetLastError());
}

void test_blocks();
void test_tiles();
void test_async_copies();
void test_refusals();
void test_streams();
void test_memory();

}  // namespace gtr::cuda::test
