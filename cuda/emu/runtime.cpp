// The device's properties, its memory, and names of errors.
#include "cuda_runtime.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "device_memory.h"
#include "faults.h"
#include "grid.h"
#include "settings.h"
#include "stream.h"

using namespace gtr::cuda::emu;

namespace {

constexpr int kThreadsPerMultiprocessor = 2048;
constexpr int kBlocksPerMultiprocessor = 32;
constexpr int64_t kReservedShared = 1024;  // per block, by the system
constexpr size_t kL2Bytes = 50 << 20;

int64_t shared_bytes_per_multiprocessor() { return settings().shared_bytes + kReservedShared; }

cudaError_t allocate(void** data, size_t bytes, cudaError_t (*from)(void**, size_t)) {
  *data = nullptr;
  const cudaError_t state = check_device();
  if (state != cudaSuccess || bytes == 0) return note(state);
  return note(allocation_must_fail() ? cudaErrorMemoryAllocation : from(data, bytes));
}

// Whatever is on the way may still use it.
cudaError_t release(void* data, cudaError_t (*to)(void*)) {
  if (data == nullptr) return note(check_device());
  const cudaError_t waited = synchronize_all();
  const cudaError_t released = to(data);
  return note(waited != cudaSuccess ? waited : released);
}

}  // namespace

// Reduced to a quarter turn before the multiplication, so that multiples of it are exact.
void sincospi(double x, double* sine, double* cosine) {
  constexpr double kPi = 3.14159265358979323846;
  const double quarters = std::nearbyint(2 * x);
  const double rest = (x - quarters / 2) * kPi;
  const double s = std::sin(rest);
  const double c = std::cos(rest);
  switch (static_cast<int>(std::fmod(quarters, 4) + 4) % 4) {
    case 0:
      *sine = s;
      *cosine = c;
      break;
    case 1:
      *sine = c;
      *cosine = -s;
      break;
    case 2:
      *sine = -s;
      *cosine = -c;
      break;
    default:
      *sine = -c;
      *cosine = s;
      break;
  }
}

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  *count = settings().driver >= kCudaVersion ? settings().devices : 0;
  const cudaError_t state = check_device();
  return note(state);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int device) {
  const cudaError_t state = check_device();
  if (state != cudaSuccess) return note(state);
  if (device != 0) return note(cudaErrorInvalidDevice);
  *p = {};
  std::snprintf(p->name, sizeof p->name, "gtr4j emulator");
  p->totalGlobalMem = static_cast<size_t>(settings().memory_bytes);
  p->sharedMemPerBlock = 48 << 10;
  p->sharedMemPerBlockOptin = static_cast<size_t>(settings().shared_bytes);
  p->sharedMemPerMultiprocessor = static_cast<size_t>(shared_bytes_per_multiprocessor());
  p->reservedSharedMemPerBlock = kReservedShared;
  p->regsPerBlock = 65536;
  p->warpSize = 32;
  p->maxThreadsPerBlock = 1024;
  p->maxThreadsPerMultiProcessor = kThreadsPerMultiprocessor;
  p->maxBlocksPerMultiProcessor = kBlocksPerMultiprocessor;
  p->multiProcessorCount = settings().multiprocessors;
  p->l2CacheSize = static_cast<int>(kL2Bytes);
  p->major = settings().compute_capability / 10;
  p->minor = settings().compute_capability % 10;
  p->cooperativeLaunch = 1;
  p->canMapHostMemory = 1;
  p->unifiedAddressing = 1;
  p->asyncEngineCount = 1;
  p->concurrentKernels = 1;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp p;
  const cudaError_t error = cudaGetDeviceProperties(&p, device);
  if (error != cudaSuccess) return error;
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      *value = p.maxThreadsPerBlock;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      *value = static_cast<int>(p.sharedMemPerBlock);
      return cudaSuccess;
    case cudaDevAttrWarpSize:
      *value = p.warpSize;
      return cudaSuccess;
    case cudaDevAttrMultiProcessorCount:
      *value = p.multiProcessorCount;
      return cudaSuccess;
    case cudaDevAttrCanMapHostMemory:
      *value = p.canMapHostMemory;
      return cudaSuccess;
    case cudaDevAttrL2CacheSize:
      *value = p.l2CacheSize;
      return cudaSuccess;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *value = p.maxThreadsPerMultiProcessor;
      return cudaSuccess;
    case cudaDevAttrUnifiedAddressing:
      *value = p.unifiedAddressing;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor:
      *value = p.major;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      *value = p.minor;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = static_cast<int>(p.sharedMemPerMultiprocessor);
      return cudaSuccess;
    case cudaDevAttrCooperativeLaunch:
      *value = p.cooperativeLaunch;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = static_cast<int>(p.sharedMemPerBlockOptin);
      return cudaSuccess;
  }
  return note(cudaErrorInvalidValue);
}

cudaError_t cudaSetDevice(int device) {
  const cudaError_t state = check_device();
  return note(state == cudaSuccess && device != 0 ? cudaErrorInvalidDevice : state);
}

cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return note(check_device());
}

cudaError_t cudaDeviceReset() {
  forget_sticky_error();
  forget_begun_grid();
  cudaGetLastError();
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = settings().driver;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = kCudaVersion;
  return cudaSuccess;
}

const char* cudaGetErrorName(cudaError_t error) {
#define GTR_EMU_NAME(name) \
  case name:               \
    return #name
  switch (error) {
    GTR_EMU_NAME(cudaSuccess);
    GTR_EMU_NAME(cudaErrorInvalidValue);
    GTR_EMU_NAME(cudaErrorMemoryAllocation);
    GTR_EMU_NAME(cudaErrorInitializationError);
    GTR_EMU_NAME(cudaErrorCudartUnloading);
    GTR_EMU_NAME(cudaErrorInvalidConfiguration);
    GTR_EMU_NAME(cudaErrorInvalidMemcpyDirection);
    GTR_EMU_NAME(cudaErrorInsufficientDriver);
    GTR_EMU_NAME(cudaErrorNoDevice);
    GTR_EMU_NAME(cudaErrorInvalidDevice);
    GTR_EMU_NAME(cudaErrorNoKernelImageForDevice);
    GTR_EMU_NAME(cudaErrorInvalidResourceHandle);
    GTR_EMU_NAME(cudaErrorNotReady);
    GTR_EMU_NAME(cudaErrorIllegalAddress);
    GTR_EMU_NAME(cudaErrorCooperativeLaunchTooLarge);
    GTR_EMU_NAME(cudaErrorLaunchFailure);
    GTR_EMU_NAME(cudaErrorNotSupported);
    GTR_EMU_NAME(cudaErrorUnknown);
  }
#undef GTR_EMU_NAME
  return "unrecognized error code";
}

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInvalidConfiguration:
      return "invalid configuration argument";
    case cudaErrorInsufficientDriver:
      return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorNoDevice:
      return "no CUDA-capable device is detected";
    case cudaErrorInvalidDevice:
      return "invalid device ordinal";
    case cudaErrorInvalidResourceHandle:
      return "invalid resource handle";
    case cudaErrorNotReady:
      return "device not ready";
    case cudaErrorIllegalAddress:
      return "an illegal memory access was encountered";
    case cudaErrorCooperativeLaunchTooLarge:
      return "too many blocks in cooperative launch";
    case cudaErrorLaunchFailure:
      return "unspecified launch failure";
    case cudaErrorNotSupported:
      return "operation not supported";
    default:
      return cudaGetErrorName(error);
  }
}

cudaError_t cudaMalloc(void** data, size_t bytes) { return allocate(data, bytes, allocate_device_memory); }
cudaError_t cudaFree(void* data) { return release(data, free_device_memory); }
cudaError_t cudaHostAlloc(void** data, size_t bytes, unsigned) { return allocate(data, bytes, allocate_pinned_memory); }
cudaError_t cudaFreeHost(void* data) { return release(data, free_pinned_memory); }

cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned) {
  *device = host;
  return note(is_pinned_memory(host) ? check_device() : cudaErrorInvalidValue);
}

cudaError_t cudaMemGetInfo(size_t* available, size_t* total) {
  *total = static_cast<size_t>(settings().memory_bytes);
  *available = *total - std::min(*total, live_device_bytes());
  return note(check_device());
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  *attributes = {};
  auto* address = const_cast<void*>(pointer);
  if (is_device_memory(pointer)) {
    attributes->type = cudaMemoryTypeDevice;
    attributes->devicePointer = address;
  } else if (is_pinned_memory(pointer)) {
    attributes->type = cudaMemoryTypeHost;
    attributes->devicePointer = attributes->hostPointer = address;
  } else {
    attributes->type = cudaMemoryTypeUnregistered;
    attributes->device = -2;
    attributes->hostPointer = address;
  }
  return note(check_device());
}

cudaError_t cudaFuncSetAttribute(const void*, cudaFuncAttribute attribute, int value) {
  const cudaError_t state = check_device();
  if (state != cudaSuccess) return note(state);
  const bool good = attribute == cudaFuncAttributeMaxDynamicSharedMemorySize
                        ? value >= 0 && value <= settings().shared_bytes
                        : attribute == cudaFuncAttributePreferredSharedMemoryCarveout;
  return note(good ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void*, int threads, size_t shared_bytes) {
  const cudaError_t state = check_device();
  if (state != cudaSuccess) return note(state);
  if (threads < 1) return note(cudaErrorInvalidValue);
  const int64_t by_shared = shared_bytes_per_multiprocessor() / (static_cast<int64_t>(shared_bytes) + kReservedShared);
  const int64_t by_threads = kThreadsPerMultiprocessor / ((threads + 31) / 32 * 32);
  *blocks = static_cast<int>(std::min<int64_t>({by_shared, by_threads, kBlocksPerMultiprocessor}));
  return cudaSuccess;
}

}  // extern "C"
