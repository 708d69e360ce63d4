// The operations of the CUDA backend, one .cu each. As for the CPU (native/cpu/operations.h) the arguments were checked
// by native/src: shapes, dtypes, alignment to the element, extents, aliasing. Pointers in tensors and scratch are
// device addresses, or host memory that the device can read; `groups`, `segments` and the values of *_set are the
// host's, and are read before the function returns. Functions enqueue and return; their status covers the enqueueing
// alone.
//
// Values inside device arrays (indices, lengths, factors) cannot be looked at here. A kernel that meets one which gtr.h
// forbids leaves that row out, touches no memory by it and reports it to Context::errors, see device_errors.h.
#pragma once

#include <atomic>
#include <cstdint>

#include "device_errors.h"
#include "gtr/gtr.h"
#include "queue.h"

namespace gtr {
class DeviceMemory;  // native/src/memory.h
}

namespace gtr::cuda {

// What kernels and their launches depend on.
struct DeviceLimits {
  int multiprocessors;
  int64_t shared_bytes;  // of dynamic shared memory that a block can have
  int64_t l2_bytes;
  int compute_capability;  // 80, 86, 90, ...
  bool overlaps_launches;  // its code waits for the launch before it where it has to, see launch_dependent
};

struct Device;      // device.cu
struct GraphCache;  // chains as graphs, one per stream; head_graph.h

// What a call runs on.
struct Context {
  Queue queue;
  Device* device;
  const DeviceLimits* limits;
  DeviceErrors* errors;      // in memory that the device writes and the host reads
  const int32_t* cancelled;  // in device memory, not 0 once gtr_stream_cancel was called; kernels of chains look at it
  const std::atomic<bool>* cancel_requested;  // the same for the host, which stops to enqueue
  GraphCache* graphs;
};

// Memory of the device, counted in its DeviceMemory; null if there is none. device.cu
void* device_allocate(Device& device, int64_t bytes) noexcept;
void device_release(Device& device, void* data, int64_t bytes) noexcept;
DeviceMemory& host_memory(Device& device) noexcept;  // for the backend's own objects
const DeviceLimits& device_limits(const Device& device) noexcept;
// A queue for work outside of streams, such as packing weights, and the wait for its end. One thread at a time has it:
// between the two the device's lock is held.
Queue begin_setup(Device& device) noexcept;
gtr_status end_setup(Device& device, const Queue& queue, const char* operation) noexcept;

// linear.cu
struct Linear;  // packed weights
gtr_status linear_create(Device& device, int64_t outputs, int64_t inputs, gtr_precision precision,
                         Linear** linear) noexcept;
void linear_destroy(Linear* linear) noexcept;
gtr_status linear_set(Linear& linear, int64_t first_row, const gtr_tensor* weight, const gtr_tensor* bias) noexcept;
int64_t linear_scratch_size(const Linear& linear, int64_t rows) noexcept;
void linear(Context& context, const Linear& linear, gtr_activation activation, const gtr_tensor& x,
            const gtr_tensor* gate, const gtr_tensor* residual, const gtr_tensor& y, void* scratch) noexcept;

// layer_norm.cu
void layer_norm(Context& context, const gtr_tensor& x, const gtr_tensor* weight, const gtr_tensor* bias,
                const gtr_tensor* scale, const gtr_tensor* shift, double epsilon, const gtr_tensor& y) noexcept;

// attention.cu
int64_t attention_scratch_size(const DeviceLimits& limits, gtr_precision precision, int64_t batch, int64_t query_length,
                               int64_t key_length, int64_t heads, int64_t head_dim) noexcept;
void attention(Context& context, gtr_precision precision, double scale, const gtr_tensor& q, const gtr_tensor& k,
               const gtr_tensor& v, const gtr_tensor* query_lengths, const gtr_tensor* key_lengths,
               const gtr_tensor* mask, const gtr_tensor& out, void* scratch) noexcept;

// rows.cu
void embed(Context& context, const gtr_tensor& first, const gtr_tensor* second, const gtr_tensor& index,
           const gtr_tensor* position, const gtr_tensor* position_index, const gtr_tensor& y) noexcept;
void gather(Context& context, const gtr_tensor& x, const gtr_tensor& index, const gtr_tensor& y) noexcept;
void scatter(Context& context, const gtr_tensor& x, const gtr_tensor& index, const gtr_tensor& y) noexcept;

// noise.cu
void noise(Context& context, const gtr_tensor& seed, const gtr_tensor& image, const gtr_tensor& cell,
           const gtr_tensor& draw, const gtr_tensor& y) noexcept;

// frequency_energy.cu
int64_t frequency_energy_scratch_size(const DeviceLimits& limits, int64_t rows, int64_t dim) noexcept;
void frequency_energy(Context& context, const gtr_tensor& z, const gtr_tensor& score, void* scratch) noexcept;

// top_fraction.cu
int64_t top_fraction_scratch_size(int64_t rows) noexcept;
void top_fraction(Context& context, const gtr_tensor& score, const gtr_tensor& cell, const gtr_segment* segments,
                  int64_t segment_count, const gtr_tensor& place, void* scratch) noexcept;

// head.cu, head_forward.cu, head_chain.cu
struct Head;
gtr_status head_create(Device& device, const gtr_head_shape& shape, gtr_precision precision, Head** head) noexcept;
void head_destroy(Head* head) noexcept;
gtr_status head_set(Head& head, const char* name, int64_t first_row, const gtr_tensor& value) noexcept;
const char* head_missing(const Head& head) noexcept;
int64_t head_forward_scratch_size(const Head& head, int64_t rows) noexcept;
void head_forward(Context& context, const Head& head, const gtr_tensor& x, const gtr_tensor& t, const gtr_tensor& z,
                  const gtr_tensor& out, void* scratch) noexcept;
int64_t head_chain_scratch_size(const Head& head, const gtr_chain& chain) noexcept;
void head_chain(Context& context, const Head& head, const gtr_chain& chain, const gtr_tensor& x,
                void* scratch) noexcept;
void head_step(Context& context, const Head& head, const gtr_chain& chain, int32_t index, const gtr_tensor& x,
               void* scratch) noexcept;
void head_chain_prepare(Context& context, const Head& head, const gtr_chain& chain, void* scratch) noexcept;

}  // namespace gtr::cuda
