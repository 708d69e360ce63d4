// The loops of CardTools, as launches on a queue.
#pragma once

#include <cstdint>

#include "card_tools.h"
#include "queue.h"

namespace gtr::bench {

// out: 4 bytes that a loop may write, in device memory; it never does, which only the author knows.
CardWork enqueue_multiply_add_f32(cuda::Queue& queue, int multiprocessors, int64_t rounds, float* out);
CardWork enqueue_multiply_bf16(cuda::Queue& queue, int multiprocessors, int64_t rounds, float* out);
// Reads bytes, a multiple of 16, at data, `rounds` times.
CardWork enqueue_read(cuda::Queue& queue, int multiprocessors, const void* data, int64_t bytes, int64_t rounds,
                      uint32_t* out);

// Writes bytes, a multiple of 16, at data.
void enqueue_overwrite(cuda::Queue& queue, int multiprocessors, void* data, int64_t bytes, uint32_t value);

}  // namespace gtr::bench
