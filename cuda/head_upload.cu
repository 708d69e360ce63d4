#include "head_upload.h"

#include "device.h"

namespace gtr::cuda {
namespace {

constexpr int kThreads = 128;

// target [count] of words. One block.
__global__ void __launch_bounds__(kThreads) write_words_kernel(uint32_t* target, int32_t count, UploadPayload payload) {
  for (int i = static_cast<int>(threadIdx.x); i < count; i += kThreads) target[i] = payload.words[i];
}

}  // namespace

void write_words(Queue& queue, uint32_t* target, int64_t count, const UploadPayload& payload) noexcept {
  launch<write_words_kernel>(queue, dim3(1), kThreads, 0, target, static_cast<int32_t>(count), payload);
}

}  // namespace gtr::cuda
