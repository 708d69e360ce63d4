// CardTools over the CUDA runtime.
#include "card_tools.h"

#include <algorithm>

#include "card_loops.h"
#include "queue.h"

namespace gtr::bench {
namespace {

using cuda::Queue;

// Memory that is read for the read loop and overwritten to empty the cache. Twice the cache would do for the second;
// the first must be so large that what is left in the cache from the round before counts for nothing.
constexpr int64_t kCacheMultiple = 16;
constexpr int64_t kLeastBytes = 1 << 14;

struct Card {
  Queue queue;
  cudaEvent_t marks[kCardMarks] = {};
  void* memory = nullptr;
  int64_t memory_bytes = 0;
  int64_t overwritten_bytes = 0;
  void* out = nullptr;
  uint32_t writes = 0;
  CardDescription description{};
};

Card card;

// What the queue has met since the last look, as a sentence or null.
const char* failure() {
  const cudaError_t error = card.queue.error;
  card.queue.error = cudaSuccess;
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

int32_t attribute(cudaDeviceAttr which, int32_t index) {
  int value = 0;
  card.queue.note(cudaDeviceGetAttribute(&value, which, index));
  return value;
}

const char* overwrite_caches() {
  enqueue_overwrite(card.queue, card.description.multiprocessors, card.memory, card.overwritten_bytes,
                    ++card.writes & 0x7fffffffu);
  return failure();
}

void close() {
  for (cudaEvent_t& mark : card.marks) {
    if (mark != nullptr) cudaEventDestroy(mark);
  }
  cudaFree(card.memory);
  cudaFree(card.out);
  if (card.queue.stream != nullptr) cudaStreamDestroy(card.queue.stream);
  card = Card{};
}

const char* open(int32_t index, int64_t l2_bytes, CardDescription* description) {
  Queue& queue = card.queue;
  queue.note(cudaSetDevice(index));
  card.description.multiprocessors = attribute(cudaDevAttrMultiProcessorCount, index);
  card.description.compute_capability =
      10 * attribute(cudaDevAttrComputeCapabilityMajor, index) + attribute(cudaDevAttrComputeCapabilityMinor, index);
  card.description.l2_bytes = l2_bytes > 0 ? l2_bytes : attribute(cudaDevAttrL2CacheSize, index);
  card.memory_bytes = std::max(kLeastBytes, kCacheMultiple * card.description.l2_bytes);
  card.overwritten_bytes = std::max(kLeastBytes, 2 * card.description.l2_bytes) / 16 * 16;
  queue.note(cudaStreamCreateWithFlags(&queue.stream, cudaStreamNonBlocking));
  for (cudaEvent_t& mark : card.marks) queue.note(cudaEventCreate(&mark));
  queue.note(cudaMalloc(&card.memory, static_cast<size_t>(card.memory_bytes)));
  queue.note(cudaMalloc(&card.out, sizeof(uint32_t)));
  enqueue_overwrite(queue, card.description.multiprocessors, card.memory, card.memory_bytes / 16 * 16, 0);
  queue.note(cudaStreamSynchronize(queue.stream));
  *description = card.description;
  const char* message = failure();
  if (message != nullptr) close();
  return message;
}

void* stream() { return card.queue.stream; }

const char* mark(int32_t slot) {
  card.queue.note(cudaEventRecord(card.marks[slot], card.queue.stream));
  return failure();
}

const char* run(CardLoop loop, int64_t rounds, CardWork* work) {
  const int multiprocessors = card.description.multiprocessors;
  switch (loop) {
    case CardLoop::kMultiplyAddF32:
      *work = enqueue_multiply_add_f32(card.queue, multiprocessors, rounds, static_cast<float*>(card.out));
      break;
    case CardLoop::kMultiplyBf16:
      *work = enqueue_multiply_bf16(card.queue, multiprocessors, rounds, static_cast<float*>(card.out));
      break;
    case CardLoop::kRead:
      *work = enqueue_read(card.queue, multiprocessors, card.memory, card.memory_bytes / 16 * 16, rounds,
                           static_cast<uint32_t*>(card.out));
      break;
  }
  return failure();
}

const char* seconds(int32_t from, int32_t to, double* result) {
  float milliseconds = 0;
  card.queue.note(cudaEventSynchronize(card.marks[to]));
  card.queue.note(cudaEventElapsedTime(&milliseconds, card.marks[from], card.marks[to]));
  *result = static_cast<double>(milliseconds) * 1e-3;
  return failure();
}

constexpr CardTools kTools = {open, close, stream, mark, overwrite_caches, run, seconds};

}  // namespace
}  // namespace gtr::bench

extern "C" __attribute__((visibility("default"))) const gtr::bench::CardTools* gtr_bench_card_tools() {
  return &gtr::bench::kTools;
}
