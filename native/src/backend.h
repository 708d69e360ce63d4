// The one interface between the C ABI and what computes. The ABI's entry points check arguments and then call through
// this table; a backend never sees an argument that gtr.h forbids, except for values inside device arrays (indices,
// lengths), which only it can read.
#pragma once

#include <atomic>
#include <cstdint>

#include "gtr/gtr.h"
#include "memory.h"

namespace gtr {

// A backend's own objects, opaque to everybody else.
struct BackendDevice;
struct BackendStream;
struct BackendLinear;
struct BackendHead;

// All entries are required unless marked optional. Functions that return a status other than GTR_OK have called fail(),
// except where the comment says that the caller does.
struct Backend {
  gtr_backend id;
  const char* name;

  // ---- devices
  // detail: one sentence about what was found or is missing.
  gtr_status (*device_count)(int32_t* count, char* detail, int64_t detail_size) noexcept;
  // options.backend may be AUTO. Fills *info but for `reason`, to which it appends its part of the sentence.
  gtr_status (*device_open)(const gtr_device_options& options, DeviceMemory& memory, BackendDevice** device,
                            gtr_device_info* info) noexcept;
  void (*device_close)(BackendDevice* device) noexcept;

  // ---- streams; cancelled outlives the stream
  gtr_status (*stream_create)(BackendDevice* device, void* external, const std::atomic<bool>* cancelled,
                              BackendStream** stream) noexcept;
  void (*stream_destroy)(BackendStream* stream) noexcept;
  // Optional: null if calls are synchronous. GTR_ERROR_CANCELLED, which the caller reports, if the stream is cancelled.
  gtr_status (*stream_synchronize)(BackendStream* stream) noexcept;
  // Optional: null if all that looks at the flag `cancelled` can read it where it is. Called after each change of it,
  // by any thread, but by one at a time.
  gtr_status (*stream_cancel)(BackendStream* stream, bool cancelled) noexcept;

  // ---- memory; the caller reports GTR_ERROR_OUT_OF_MEMORY
  gtr_status (*allocate)(BackendDevice* device, gtr_memory_space space, int64_t bytes, void** data) noexcept;
  void (*release)(BackendDevice* device, gtr_memory_space space, void* data, int64_t bytes) noexcept;
  gtr_status (*copy)(BackendStream* stream, void* target, const void* source, int64_t bytes) noexcept;
  // Optional: false if it is not known. Bytes of memory that nobody has.
  bool (*free_memory)(BackendDevice* device, int64_t* free, int64_t* total) noexcept;

  // ---- linear; the caller reports a creation that failed with GTR_ERROR_OUT_OF_MEMORY
  gtr_status (*linear_create)(BackendDevice* device, int64_t outputs, int64_t inputs, gtr_precision precision,
                              BackendLinear** linear) noexcept;
  gtr_status (*linear_set)(BackendDevice* device, BackendLinear* linear, int64_t first_row, const gtr_tensor* weight,
                           const gtr_tensor* bias) noexcept;
  void (*linear_destroy)(BackendDevice* device, BackendLinear* linear) noexcept;
  int64_t (*linear_scratch_size)(const BackendLinear* linear, int64_t rows) noexcept;
  gtr_status (*linear)(BackendStream* stream, const BackendLinear* linear, gtr_activation activation,
                       const gtr_tensor& x, const gtr_tensor* gate, const gtr_tensor* residual, const gtr_tensor& y,
                       void* scratch) noexcept;

  // ---- layer norm
  gtr_status (*layer_norm)(BackendStream* stream, const gtr_tensor& x, const gtr_tensor* weight, const gtr_tensor* bias,
                           const gtr_tensor* scale, const gtr_tensor* shift, double epsilon,
                           const gtr_tensor& y) noexcept;

  // ---- attention
  int64_t (*attention_scratch_size)(const BackendDevice* device, gtr_precision precision, int64_t batch,
                                    int64_t query_length, int64_t key_length, int64_t heads, int64_t head_dim) noexcept;
  gtr_status (*attention)(BackendStream* stream, gtr_precision precision, double scale, const gtr_tensor& q,
                          const gtr_tensor& k, const gtr_tensor& v, const gtr_tensor* query_lengths,
                          const gtr_tensor* key_lengths, const gtr_tensor* mask, const gtr_tensor& out,
                          void* scratch) noexcept;

  // ---- token bookkeeping
  gtr_status (*embed)(BackendStream* stream, const gtr_tensor& first, const gtr_tensor* second, const gtr_tensor& index,
                      const gtr_tensor* position, const gtr_tensor* position_index, const gtr_tensor& y) noexcept;
  gtr_status (*gather)(BackendStream* stream, const gtr_tensor& x, const gtr_tensor& index,
                       const gtr_tensor& y) noexcept;
  gtr_status (*scatter)(BackendStream* stream, const gtr_tensor& x, const gtr_tensor& index,
                        const gtr_tensor& y) noexcept;

  // ---- noise
  gtr_status (*noise)(BackendStream* stream, const gtr_tensor& seed, const gtr_tensor& image, const gtr_tensor& cell,
                      const gtr_tensor& draw, const gtr_tensor& y) noexcept;

  // ---- frequency energy and top fraction
  int64_t (*frequency_energy_scratch_size)(const BackendDevice* device, int64_t rows, int64_t dim) noexcept;
  gtr_status (*frequency_energy)(BackendStream* stream, const gtr_tensor& z, const gtr_tensor& score,
                                 void* scratch) noexcept;
  int64_t (*top_fraction_scratch_size)(const BackendDevice* device, int64_t rows) noexcept;
  gtr_status (*top_fraction)(BackendStream* stream, const gtr_tensor& score, const gtr_tensor& cell,
                             const gtr_segment* segments, int64_t segment_count, const gtr_tensor& place,
                             void* scratch) noexcept;

  // ---- diffusion head; the caller reports a creation that failed with GTR_ERROR_OUT_OF_MEMORY
  gtr_status (*head_create)(BackendDevice* device, const gtr_head_shape& shape, gtr_precision precision,
                            BackendHead** head) noexcept;
  gtr_status (*head_set)(BackendDevice* device, BackendHead* head, const char* name, int64_t first_row,
                         const gtr_tensor& value) noexcept;
  const char* (*head_missing)(const BackendHead* head) noexcept;  // a tensor with rows never set, or null
  void (*head_destroy)(BackendDevice* device, BackendHead* head) noexcept;
  int64_t (*head_forward_scratch_size)(const BackendHead* head, int64_t rows) noexcept;
  gtr_status (*head_forward)(BackendStream* stream, const BackendHead* head, const gtr_tensor& x, const gtr_tensor& t,
                             const gtr_tensor& z, const gtr_tensor& out, void* scratch) noexcept;
  // Reads of the chain only groups, group_count, modulation_bytes.
  int64_t (*head_chain_scratch_size)(const BackendHead* head, const gtr_chain& chain) noexcept;
  gtr_status (*head_chain)(BackendStream* stream, const BackendHead* head, const gtr_chain& chain, const gtr_tensor& x,
                           void* scratch) noexcept;
  gtr_status (*head_step)(BackendStream* stream, const BackendHead* head, const gtr_chain& chain, int32_t index,
                          const gtr_tensor& x, void* scratch) noexcept;
  // Optional: null if there is nothing to make ready. Reads of the chain what head_chain_scratch_size does.
  gtr_status (*head_chain_prepare)(BackendStream* stream, const BackendHead* head, const gtr_chain& chain,
                                   void* scratch) noexcept;
};

}  // namespace gtr
