// An opened device, and what is true of every call on it.
#pragma once

#include <atomic>
#include <cstdint>

#include "memory.h"
#include "mutex.h"
#include "operations.h"

namespace gtr::cuda {

struct Device {
  DeviceMemory* memory = nullptr;
  int ordinal = 0;  // of the CUDA runtime
  DeviceLimits limits = {};
  bool synchronous = false;  // GTR_SYNC: every call is checked before it returns

  cudaStream_t setup = nullptr;  // for work outside of streams
  Mutex setup_lock;
  cudaStream_t signals = nullptr;    // carries cancellations past a stream that is at work
  int32_t* signal_values = nullptr;  // pinned: 0 and 1, what a cancellation copies
  static constexpr int64_t kSignalBytes = 2 * sizeof(int32_t);

  // An asynchronous failure destroys the process's CUDA context of this card for good.
  std::atomic<bool> lost{false};
  Mutex lost_lock;
  char lost_reason[320] = "";
};

// Opens the card; appends to info->reason. device.cu, like all that follows.
gtr_status open_device(int ordinal, DeviceMemory& memory, Device** device, gtr_device_info* info) noexcept;
void close_device(Device* device) noexcept;

// Makes the device the calling thread's for a while. Other users of CUDA in the process find their own one again.
class CurrentDevice {
 public:
  explicit CurrentDevice(const Device& device) noexcept;
  ~CurrentDevice();
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;

 private:
  int before_ = -1;  // -1: nothing to restore
};

// Records GTR_ERROR_DEVICE_LOST with the reason if the device is lost; false otherwise.
bool fail_if_lost(Device& device, const char* operation) noexcept;

// Records a failure of the runtime in `operation` and returns its status. calls: those of a stream among which the
// culprit of an asynchronous failure is, or null. Finds out whether the device is lost.
gtr_status fail_cuda(Device& device, cudaError_t error, const char* operation, const char* calls) noexcept;

// Pinned memory, which the device reads and writes, counted in the device's DeviceMemory; null if there is none.
void* pinned_allocate(Device& device, int64_t bytes) noexcept;
void pinned_release(Device& device, void* data, int64_t bytes) noexcept;

}  // namespace gtr::cuda
