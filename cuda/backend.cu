// The CUDA backend's entry into the backend table: every call sets the device, refuses a lost one, and turns what the
// runtime said of its launches into a status.
#include "backend.h"

#include <cstdio>

#include "cards.h"
#include "device_state.h"
#include "errors.h"
#include "operations.h"
#include "stream.h"

namespace gtr::cuda {

// The table's entries have the operations' names; `cuda::name` is the operation. (Not an unnamed namespace: nvcc would
// write the table with names that mean either.)
namespace table {

Device& own(BackendDevice* device) noexcept { return *reinterpret_cast<Device*>(device); }
const Device& own(const BackendDevice* device) noexcept { return *reinterpret_cast<const Device*>(device); }
Stream& own(BackendStream* stream) noexcept { return *reinterpret_cast<Stream*>(stream); }
Linear* own(BackendLinear* linear) noexcept { return reinterpret_cast<Linear*>(linear); }
const Linear& own(const BackendLinear* linear) noexcept { return *reinterpret_cast<const Linear*>(linear); }
Head* own(BackendHead* head) noexcept { return reinterpret_cast<Head*>(head); }
const Head& own(const BackendHead* head) noexcept { return *reinterpret_cast<const Head*>(head); }

// One operation on a stream. launch: (Context&) -> void.
template <typename Launch>
gtr_status enqueue(BackendStream* opaque, const char* operation, Launch&& launch) noexcept {
  Stream& stream = own(opaque);
  const CurrentDevice current(*stream.context.device);
  const gtr_status status = begin_call(stream, operation);
  if (status != GTR_OK) return status;
  launch(stream.context);
  return end_call(stream, operation);
}

// Work on a device outside of streams. work: () -> gtr_status.
template <typename Work>
gtr_status on_device(Device& device, const char* operation, Work&& work) noexcept {
  if (fail_if_lost(device, operation)) return GTR_ERROR_DEVICE_LOST;
  const CurrentDevice current(device);
  return work();
}

// ---- devices

gtr_status device_count(int32_t* count, char* detail, int64_t detail_size) noexcept {
  *count = find_cards(detail, static_cast<size_t>(detail_size)).count;
  return GTR_OK;
}

gtr_status refuse_cpu_option(const char* argument, int32_t value) noexcept {
  return fail(GTR_ERROR_INVALID_ARGUMENT, "gtr_device_open", argument,
              "%s is %d, which is for the CPU; allowed with the CUDA backend is 0", argument, value);
}

gtr_status device_open(const gtr_device_options& options, DeviceMemory& memory, BackendDevice** device,
                       gtr_device_info* info) noexcept {
  if (options.backend == GTR_BACKEND_CUDA) {  // with auto they are for the case that it is the CPU
    if (options.threads != 0) return refuse_cpu_option("options.threads", options.threads);
    if (options.tier != 0) return refuse_cpu_option("options.tier", options.tier);
  }
  char found[400];
  const Cards cards = find_cards(found, sizeof found);
  if (cards.count == 0) return fail(GTR_ERROR_NO_DEVICE, "gtr_device_open", "options.backend", "%s", found);
  if (options.index >= cards.count) {
    return fail(GTR_ERROR_NO_DEVICE, "gtr_device_open", "options.index", "options.index is %d; allowed are 0 to %d: %s",
                options.index, cards.count - 1, found);
  }
  Device* opened = nullptr;
  const gtr_status status = open_device(cards.ordinals[options.index], memory, &opened, info);
  if (status != GTR_OK) return status;
  *device = reinterpret_cast<BackendDevice*>(opened);
  info->backend = GTR_BACKEND_CUDA;
  info->index = options.index;
  info->threads = 0;
  info->tier = 0;
  return GTR_OK;
}

void device_close(BackendDevice* device) noexcept { close_device(&own(device)); }

// ---- streams

gtr_status stream_create(BackendDevice* device, void* external, const std::atomic<bool>* cancelled,
                         BackendStream** stream) noexcept {
  const CurrentDevice current(own(device));
  Stream* opened = nullptr;
  const gtr_status status = open_stream(own(device), external, cancelled, &opened);
  *stream = reinterpret_cast<BackendStream*>(opened);
  return status;
}

void stream_destroy(BackendStream* stream) noexcept {
  const CurrentDevice current(*own(stream).context.device);
  close_stream(&own(stream));
}

gtr_status stream_synchronize(BackendStream* stream) noexcept {
  const CurrentDevice current(*own(stream).context.device);
  return check_stream(own(stream), "gtr_stream_synchronize");
}

gtr_status stream_cancel(BackendStream* stream, bool cancelled) noexcept {
  Device& device = *own(stream).context.device;
  return on_device(device, cancelled ? "gtr_stream_cancel" : "gtr_stream_reset",
                   [&] { return signal_cancelled(own(stream), cancelled); });
}

// ---- memory

gtr_status allocate(BackendDevice* device, gtr_memory_space space, int64_t bytes, void** data) noexcept {
  return on_device(own(device), "gtr_allocate", [&] {
    *data = space == GTR_MEMORY_HOST ? pinned_allocate(own(device), bytes) : device_allocate(own(device), bytes);
    return *data == nullptr ? GTR_ERROR_OUT_OF_MEMORY : GTR_OK;
  });
}

void release(BackendDevice* device, gtr_memory_space space, void* data, int64_t bytes) noexcept {
  const CurrentDevice current(own(device));
  space == GTR_MEMORY_HOST ? pinned_release(own(device), data, bytes) : device_release(own(device), data, bytes);
}

gtr_status copy(BackendStream* stream, void* target, const void* source, int64_t bytes) noexcept {
  return enqueue(stream, "gtr_copy", [&](Context& context) {
    context.queue.note(
        cudaMemcpyAsync(target, source, static_cast<size_t>(bytes), cudaMemcpyDefault, context.queue.stream));
  });
}

bool free_memory(BackendDevice* device, int64_t* free, int64_t* total) noexcept {
  const CurrentDevice current(own(device));
  size_t available = 0;
  size_t all = 0;
  const bool known = cudaMemGetInfo(&available, &all) == cudaSuccess;
  cudaGetLastError();
  *free = static_cast<int64_t>(available);
  *total = static_cast<int64_t>(all);
  return known;
}

// ---- linear

gtr_status linear_create(BackendDevice* device, int64_t outputs, int64_t inputs, gtr_precision precision,
                         BackendLinear** linear) noexcept {
  return on_device(own(device), "gtr_linear_create", [&] {
    Linear* created = nullptr;
    const gtr_status status = cuda::linear_create(own(device), outputs, inputs, precision, &created);
    *linear = reinterpret_cast<BackendLinear*>(created);
    return status;
  });
}

gtr_status linear_set(BackendDevice* device, BackendLinear* linear, int64_t first_row, const gtr_tensor* weight,
                      const gtr_tensor* bias) noexcept {
  return on_device(own(device), "gtr_linear_set",
                   [&] { return cuda::linear_set(*own(linear), first_row, weight, bias); });
}

void linear_destroy(BackendDevice* device, BackendLinear* linear) noexcept {
  const CurrentDevice current(own(device));
  cuda::linear_destroy(own(linear));
}

int64_t linear_scratch_size(const BackendLinear* linear, int64_t rows) noexcept {
  return cuda::linear_scratch_size(own(linear), rows);
}

gtr_status linear(BackendStream* stream, const BackendLinear* weights, gtr_activation activation, const gtr_tensor& x,
                  const gtr_tensor* gate, const gtr_tensor* residual, const gtr_tensor& y, void* scratch) noexcept {
  return enqueue(stream, "gtr_linear", [&](Context& context) {
    cuda::linear(context, own(weights), activation, x, gate, residual, y, scratch);
  });
}

// ---- layer norm

gtr_status layer_norm(BackendStream* stream, const gtr_tensor& x, const gtr_tensor* weight, const gtr_tensor* bias,
                      const gtr_tensor* scale, const gtr_tensor* shift, double epsilon, const gtr_tensor& y) noexcept {
  return enqueue(stream, "gtr_layer_norm",
                 [&](Context& context) { cuda::layer_norm(context, x, weight, bias, scale, shift, epsilon, y); });
}

// ---- attention

int64_t attention_scratch_size(const BackendDevice* device, gtr_precision precision, int64_t batch,
                               int64_t query_length, int64_t key_length, int64_t heads, int64_t head_dim) noexcept {
  return cuda::attention_scratch_size(own(device).limits, precision, batch, query_length, key_length, heads, head_dim);
}

gtr_status attention(BackendStream* stream, gtr_precision precision, double scale, const gtr_tensor& q,
                     const gtr_tensor& k, const gtr_tensor& v, const gtr_tensor* query_lengths,
                     const gtr_tensor* key_lengths, const gtr_tensor* mask, const gtr_tensor& out,
                     void* scratch) noexcept {
  return enqueue(stream, "gtr_attention", [&](Context& context) {
    cuda::attention(context, precision, scale, q, k, v, query_lengths, key_lengths, mask, out, scratch);
  });
}

// ---- token bookkeeping

gtr_status embed(BackendStream* stream, const gtr_tensor& first, const gtr_tensor* second, const gtr_tensor& index,
                 const gtr_tensor* position, const gtr_tensor* position_index, const gtr_tensor& y) noexcept {
  return enqueue(stream, "gtr_embed",
                 [&](Context& context) { cuda::embed(context, first, second, index, position, position_index, y); });
}

gtr_status gather(BackendStream* stream, const gtr_tensor& x, const gtr_tensor& index, const gtr_tensor& y) noexcept {
  return enqueue(stream, "gtr_gather", [&](Context& context) { cuda::gather(context, x, index, y); });
}

gtr_status scatter(BackendStream* stream, const gtr_tensor& x, const gtr_tensor& index, const gtr_tensor& y) noexcept {
  return enqueue(stream, "gtr_scatter", [&](Context& context) { cuda::scatter(context, x, index, y); });
}

// ---- noise

gtr_status noise(BackendStream* stream, const gtr_tensor& seed, const gtr_tensor& image, const gtr_tensor& cell,
                 const gtr_tensor& draw, const gtr_tensor& y) noexcept {
  return enqueue(stream, "gtr_noise", [&](Context& context) { cuda::noise(context, seed, image, cell, draw, y); });
}

// ---- frequency energy and top fraction

int64_t frequency_energy_scratch_size(const BackendDevice* device, int64_t rows, int64_t dim) noexcept {
  return cuda::frequency_energy_scratch_size(own(device).limits, rows, dim);
}

gtr_status frequency_energy(BackendStream* stream, const gtr_tensor& z, const gtr_tensor& score,
                            void* scratch) noexcept {
  return enqueue(stream, "gtr_frequency_energy",
                 [&](Context& context) { cuda::frequency_energy(context, z, score, scratch); });
}

int64_t top_fraction_scratch_size(const BackendDevice*, int64_t rows) noexcept {
  return cuda::top_fraction_scratch_size(rows);
}

gtr_status top_fraction(BackendStream* stream, const gtr_tensor& score, const gtr_tensor& cell,
                        const gtr_segment* segments, int64_t segment_count, const gtr_tensor& place,
                        void* scratch) noexcept {
  return enqueue(stream, "gtr_top_fraction", [&](Context& context) {
    cuda::top_fraction(context, score, cell, segments, segment_count, place, scratch);
  });
}

// ---- diffusion head

gtr_status head_create(BackendDevice* device, const gtr_head_shape& shape, gtr_precision precision,
                       BackendHead** head) noexcept {
  return on_device(own(device), "gtr_head_create", [&] {
    Head* created = nullptr;
    const gtr_status status = cuda::head_create(own(device), shape, precision, &created);
    *head = reinterpret_cast<BackendHead*>(created);
    return status;
  });
}

gtr_status head_set(BackendDevice* device, BackendHead* head, const char* name, int64_t first_row,
                    const gtr_tensor& value) noexcept {
  return on_device(own(device), "gtr_head_set", [&] { return cuda::head_set(*own(head), name, first_row, value); });
}

const char* head_missing(const BackendHead* head) noexcept { return cuda::head_missing(own(head)); }

void head_destroy(BackendDevice* device, BackendHead* head) noexcept {
  const CurrentDevice current(own(device));
  cuda::head_destroy(own(head));
}

int64_t head_forward_scratch_size(const BackendHead* head, int64_t rows) noexcept {
  return cuda::head_forward_scratch_size(own(head), rows);
}

gtr_status head_forward(BackendStream* stream, const BackendHead* head, const gtr_tensor& x, const gtr_tensor& t,
                        const gtr_tensor& z, const gtr_tensor& out, void* scratch) noexcept {
  return enqueue(stream, "gtr_head_forward",
                 [&](Context& context) { cuda::head_forward(context, own(head), x, t, z, out, scratch); });
}

int64_t head_chain_scratch_size(const BackendHead* head, const gtr_chain& chain) noexcept {
  return cuda::head_chain_scratch_size(own(head), chain);
}

gtr_status head_chain(BackendStream* stream, const BackendHead* head, const gtr_chain& chain, const gtr_tensor& x,
                      void* scratch) noexcept {
  return enqueue(stream, "gtr_head_chain",
                 [&](Context& context) { cuda::head_chain(context, own(head), chain, x, scratch); });
}

gtr_status head_step(BackendStream* stream, const BackendHead* head, const gtr_chain& chain, int32_t index,
                     const gtr_tensor& x, void* scratch) noexcept {
  return enqueue(stream, "gtr_head_step",
                 [&](Context& context) { cuda::head_step(context, own(head), chain, index, x, scratch); });
}

gtr_status head_chain_prepare(BackendStream* stream, const BackendHead* head, const gtr_chain& chain,
                              void* scratch) noexcept {
  return enqueue(stream, "gtr_head_chain_prepare",
                 [&](Context& context) { cuda::head_chain_prepare(context, own(head), chain, scratch); });
}

}  // namespace table

extern const Backend backend;
const Backend backend = {
    GTR_BACKEND_CUDA,
    kBackendName,
    table::device_count,
    table::device_open,
    table::device_close,
    table::stream_create,
    table::stream_destroy,
    table::stream_synchronize,
    table::stream_cancel,
    table::allocate,
    table::release,
    table::copy,
    table::free_memory,
    table::linear_create,
    table::linear_set,
    table::linear_destroy,
    table::linear_scratch_size,
    table::linear,
    table::layer_norm,
    table::attention_scratch_size,
    table::attention,
    table::embed,
    table::gather,
    table::scatter,
    table::noise,
    table::frequency_energy_scratch_size,
    table::frequency_energy,
    table::top_fraction_scratch_size,
    table::top_fraction,
    table::head_create,
    table::head_set,
    table::head_missing,
    table::head_destroy,
    table::head_forward_scratch_size,
    table::head_forward,
    table::head_chain_scratch_size,
    table::head_chain,
    table::head_step,
    table::head_chain_prepare,
};

}  // namespace gtr::cuda
