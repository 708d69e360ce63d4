#include "stream.h"

#include <new>

#include "errors.h"
#include "head_graph.h"

namespace gtr::cuda {
namespace {

// All that the device reads or writes of a stream. The order of creation; close_stream frees what there is.
gtr_status create_parts(Device& device, void* external, Stream& stream) noexcept {
  constexpr const char* kOperation = "gtr_stream_create";
  Context& context = stream.context;
  context.device = &device;
  context.limits = &device.limits;
  context.queue.overlaps = device.limits.overlaps_launches;
  stream.is_external = external != nullptr;
  cudaError_t result = cudaSuccess;
  if (stream.is_external) {
    context.queue.stream = static_cast<cudaStream_t>(external);
  } else {
    result = cudaStreamCreateWithFlags(&context.queue.stream, cudaStreamNonBlocking);
  }
  if (result != cudaSuccess) return fail_cuda(device, result, kOperation, nullptr);

  context.errors = static_cast<DeviceErrors*>(pinned_allocate(device, sizeof(DeviceErrors)));
  stream.cancelled_on_device = static_cast<int32_t*>(device_allocate(device, sizeof(int32_t)));
  context.cancelled = stream.cancelled_on_device;
  if (context.errors == nullptr || context.cancelled == nullptr) {
    return fail(GTR_ERROR_OUT_OF_MEMORY, kOperation, "", "no memory for a stream on the device");
  }
  *context.errors = {};
  const gtr_status status = graph_cache_create(device, kOperation, &context.graphs);
  if (status != GTR_OK) return status;
  return signal_cancelled(stream, false);
}

}  // namespace

gtr_status open_stream(Device& device, void* external, const std::atomic<bool>* cancelled, Stream** stream) noexcept {
  if (fail_if_lost(device, "gtr_stream_create")) return GTR_ERROR_DEVICE_LOST;
  void* place = device.memory->allocate(sizeof(Stream));
  if (place == nullptr) {
    return fail(GTR_ERROR_OUT_OF_MEMORY, "gtr_stream_create", "", "no memory for the stream's %lld bytes",
                static_cast<long long>(sizeof(Stream)));
  }
  auto* opened = new (place) Stream;
  opened->cancelled = cancelled;
  opened->context.cancel_requested = cancelled;
  const gtr_status status = create_parts(device, external, *opened);
  if (status != GTR_OK) {
    close_stream(opened);
    return status;
  }
  *stream = opened;
  return GTR_OK;
}

void close_stream(Stream* stream) noexcept {
  Context& context = stream->context;
  Device& device = *context.device;
  if (context.queue.stream != nullptr) cudaStreamSynchronize(context.queue.stream);
  cudaStreamSynchronize(device.signals);
  graph_cache_destroy(context.graphs);
  device_release(device, stream->cancelled_on_device, sizeof(int32_t));
  pinned_release(device, context.errors, sizeof(DeviceErrors));
  if (!stream->is_external && context.queue.stream != nullptr) cudaStreamDestroy(context.queue.stream);
  cudaGetLastError();
  stream->~Stream();
  device.memory->release(stream, sizeof(Stream));
}

gtr_status begin_call(Stream& stream, const char* operation) noexcept {
  if (fail_if_lost(*stream.context.device, operation)) return GTR_ERROR_DEVICE_LOST;
  Queue& queue = stream.context.queue;
  queue.graph = nullptr;
  queue.last = nullptr;
  queue.error = cudaSuccess;
  stream.calls.add(operation);
  return GTR_OK;
}

gtr_status end_call(Stream& stream, const char* operation) noexcept {
  const cudaError_t error = stream.context.queue.error;
  if (error != cudaSuccess) {
    char calls[720];
    stream.calls.describe(calls, sizeof calls);
    return fail_cuda(*stream.context.device, error, operation, calls);
  }
  return stream.context.device->synchronous ? check_stream(stream, operation) : GTR_OK;
}

gtr_status check_stream(Stream& stream, const char* operation) noexcept {
  Device& device = *stream.context.device;
  if (fail_if_lost(device, operation)) return GTR_ERROR_DEVICE_LOST;
  const cudaError_t error = cudaStreamSynchronize(stream.context.queue.stream);
  if (error != cudaSuccess) {
    char calls[720];
    stream.calls.describe(calls, sizeof calls);
    return fail_cuda(device, error, operation, calls);
  }
  if (stream.cancelled->load(std::memory_order_relaxed)) return GTR_ERROR_CANCELLED;
  const gtr_status status = take_finding(*stream.context.errors, stream.calls);
  stream.calls.clear();
  return status;
}

gtr_status signal_cancelled(Stream& stream, bool cancelled) noexcept {
  Device& device = *stream.context.device;
  // A copy goes to its own engine and so passes kernels that fill the card; a memset would be a kernel behind them.
  cudaError_t error = cudaMemcpyAsync(stream.cancelled_on_device, &device.signal_values[cancelled ? 1 : 0],
                                      sizeof(int32_t), cudaMemcpyHostToDevice, device.signals);
  if (error == cudaSuccess) error = cudaStreamSynchronize(device.signals);
  if (error == cudaSuccess) return GTR_OK;
  return fail_cuda(device, error, cancelled ? "gtr_stream_cancel" : "gtr_stream_reset", nullptr);
}

}  // namespace gtr::cuda
