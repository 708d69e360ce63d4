// Streams and events: what is enqueued waits here until somebody waits for it, so that a host which reads results too
// early, or writes to what the device still needs, gets wrong results every time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "cuda_runtime.h"

namespace gtr::cuda::emu {

// A piece of work, done on the thread that waits for it.
struct Work {
  std::function<cudaError_t()> run;  // cudaSuccess, or what the device is lost with
  std::function<void()> begin;       // null, or its beginning, which need not wait for the work before it on the stream
};

void enqueue(cudaStream_t stream, Work work);
// Waits for all that is on the stream now. The sticky error, if the device is lost.
cudaError_t synchronize(cudaStream_t stream);
cudaError_t synchronize_all();

// cudaSuccess as long as all goes well; then the sticky error of a lost device.
cudaError_t sticky_error();
void lose_device(cudaError_t error);
void forget_sticky_error();

// Keeps the error for cudaGetLastError of the calling thread, and returns it.
cudaError_t note(cudaError_t error);
// What every call looks at first: the driver, the device, the sticky error.
cudaError_t check_device();

}  // namespace gtr::cuda::emu
