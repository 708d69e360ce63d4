#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

#include "cards.h"
#include "device_state.h"
#include "errors.h"
#include "linear_cublaslt.h"
#include "runtime_errors.h"

namespace gtr::cuda {
namespace {

// A failure of the card itself makes every later call of the process fail as well; others pass.
bool context_is_lost(const Device& device) noexcept {
  cudaGetLastError();
  const cudaError_t result = cudaStreamQuery(device.setup);
  cudaGetLastError();
  return result != cudaSuccess && result != cudaErrorNotReady;
}

cudaError_t open_streams(Device& device) noexcept {
  const cudaError_t result = cudaStreamCreateWithFlags(&device.setup, cudaStreamNonBlocking);
  return result != cudaSuccess ? result : cudaStreamCreateWithFlags(&device.signals, cudaStreamNonBlocking);
}

bool sync_is_wanted() noexcept {
  const char* text = std::getenv("GTR_SYNC");
  return text != nullptr && text[0] != '\0' && std::strcmp(text, "0") != 0;
}

}  // namespace

CurrentDevice::CurrentDevice(const Device& device) noexcept {
  int before = -1;
  if (cudaGetDevice(&before) == cudaSuccess && before == device.ordinal) return;
  before_ = before;
  cudaSetDevice(device.ordinal);  // where it fails, so does the next call, which is looked at
}

CurrentDevice::~CurrentDevice() {
  if (before_ >= 0) cudaSetDevice(before_);
}

gtr_status open_device(int ordinal, DeviceMemory& memory, Device** device, gtr_device_info* info) noexcept {
  constexpr const char* kOperation = "gtr_device_open";
  *device = nullptr;
  void* place = memory.allocate(sizeof(Device));
  if (place == nullptr) {
    return fail(GTR_ERROR_OUT_OF_MEMORY, kOperation, "", "no memory for the device's own %lld bytes",
                static_cast<long long>(sizeof(Device)));
  }
  Device* opened = new (place) Device;
  opened->memory = &memory;
  opened->ordinal = ordinal;
  opened->synchronous = sync_is_wanted();
  const CurrentDevice current(*opened);
  CardProperties card = {};
  cudaError_t result = read_card(ordinal, &card);
  if (result == cudaSuccess) result = open_streams(*opened);
  if (result != cudaSuccess) {
    cudaGetLastError();
    close_device(opened);
    return fail(result == cudaErrorMemoryAllocation ? GTR_ERROR_OUT_OF_MEMORY : GTR_ERROR_NO_DEVICE, kOperation,
                "options.index", "%s device %d cannot be opened: %s", kBackendName, ordinal, ErrorText(result).text);
  }
  opened->limits = card.limits;
  const gtr_status prepared = gemm_prepare(kOperation);
  if (prepared != GTR_OK) {
    close_device(opened);
    return prepared;
  }
  opened->signal_values = static_cast<int32_t*>(pinned_allocate(*opened, Device::kSignalBytes));
  if (opened->signal_values == nullptr) {
    close_device(opened);
    return fail(GTR_ERROR_OUT_OF_MEMORY, kOperation, "", "no memory for %lld pinned bytes",
                static_cast<long long>(Device::kSignalBytes));
  }
  opened->signal_values[0] = 0;
  opened->signal_values[1] = 1;

  int driver = 0;
  int runtime = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  info->memory_total = card.memory_bytes;
  std::snprintf(info->name, sizeof info->name, "%s", card.name);
  const size_t length = std::strlen(info->reason);
  std::snprintf(info->reason + length, sizeof info->reason - length,
                "compute capability %d.%d, %d multiprocessors, driver for CUDA %s, built with %s%s%s",
                card.limits.compute_capability / 10, card.limits.compute_capability % 10, card.limits.multiprocessors,
                VersionText(driver).text, VersionText(runtime).text,
                opened->synchronous ? ", checked after every call (GTR_SYNC)" : "", gemm_note());
  *device = opened;
  return GTR_OK;
}

void close_device(Device* device) noexcept {
  DeviceMemory& memory = *device->memory;
  {
    const CurrentDevice current(*device);
    if (device->setup != nullptr) cudaStreamDestroy(device->setup);
    if (device->signals != nullptr) cudaStreamDestroy(device->signals);
    pinned_release(*device, device->signal_values, Device::kSignalBytes);
    cudaGetLastError();
  }
  device->~Device();
  memory.release(device, sizeof(Device));
}

bool fail_if_lost(Device& device, const char* operation) noexcept {
  if (!device.lost.load(std::memory_order_acquire)) return false;
  fail(GTR_ERROR_DEVICE_LOST, operation, "",
       "the device is lost since %s; close it: this process cannot use the card any more", device.lost_reason);
  return true;
}

gtr_status fail_cuda(Device& device, cudaError_t error, const char* operation, const char* calls) noexcept {
  const ErrorText text(error);
  if (context_is_lost(device)) {
    const std::lock_guard<Mutex> lock(device.lost_lock);
    if (!device.lost.load(std::memory_order_relaxed)) {
      std::snprintf(device.lost_reason, sizeof device.lost_reason, "%s, found by %s", text.text, operation);
      device.lost.store(true, std::memory_order_release);
    }
    return fail(GTR_ERROR_DEVICE_LOST, operation, "",
                "the device is lost: %s%s%s; close it: this process cannot use the card any more", text.text,
                calls == nullptr ? "" : ", in one of the calls since the last check: ", calls == nullptr ? "" : calls);
  }
  if (error == cudaErrorMemoryAllocation) {
    size_t free = 0;
    size_t total = 0;
    cudaMemGetInfo(&free, &total);
    return fail(GTR_ERROR_OUT_OF_MEMORY, operation, "",
                "no memory for what the runtime itself needs: %s; %lld of %lld bytes are free", text.text,
                static_cast<long long>(free), static_cast<long long>(total));
  }
  return fail(GTR_ERROR_INTERNAL, operation, "", "%s%s%s", text.text,
              calls == nullptr ? "" : ", after the calls: ", calls == nullptr ? "" : calls);
}

void* device_allocate(Device& device, int64_t bytes) noexcept {
  void* data = nullptr;
  if (bytes <= 0 || allocation_must_fail()) return nullptr;
  if (cudaMalloc(&data, static_cast<size_t>(bytes)) != cudaSuccess) {
    cudaGetLastError();
    return nullptr;
  }
  device.memory->count(bytes);
  return data;
}

void device_release(Device& device, void* data, int64_t bytes) noexcept {
  if (data == nullptr) return;
  cudaFree(data);  // fails on a lost device, whose memory is gone already
  cudaGetLastError();
  device.memory->count(-bytes);
}

void* pinned_allocate(Device& device, int64_t bytes) noexcept {
  void* data = nullptr;
  if (bytes <= 0 || allocation_must_fail()) return nullptr;
  if (cudaHostAlloc(&data, static_cast<size_t>(bytes), cudaHostAllocPortable | cudaHostAllocMapped) != cudaSuccess) {
    cudaGetLastError();
    return nullptr;
  }
  device.memory->count(bytes);
  return data;
}

void pinned_release(Device& device, void* data, int64_t bytes) noexcept {
  if (data == nullptr) return;
  cudaFreeHost(data);
  cudaGetLastError();
  device.memory->count(-bytes);
}

DeviceMemory& host_memory(Device& device) noexcept { return *device.memory; }

const DeviceLimits& device_limits(const Device& device) noexcept { return device.limits; }

Queue begin_setup(Device& device) noexcept {
  device.setup_lock.lock();
  Queue queue;
  queue.stream = device.setup;
  return queue;
}

gtr_status end_setup(Device& device, const Queue& queue, const char* operation) noexcept {
  const cudaError_t waited = cudaStreamSynchronize(queue.stream);
  device.setup_lock.unlock();
  const cudaError_t error = queue.error != cudaSuccess ? queue.error : waited;
  return error == cudaSuccess ? GTR_OK : fail_cuda(device, error, operation, nullptr);
}

}  // namespace gtr::cuda
