// What kernels find wrong with the values inside device arrays. The first finding since the last look is kept, and
// gtr_stream_synchronize returns it as GTR_ERROR_INVALID_ARGUMENT.
#pragma once

#include <cstdint>

#include "device.h"
#include "gtr/gtr.h"

namespace gtr::cuda {

class CallLog;  // call_log.h

// Arrays whose values are looked at; device_errors.cu has their operations, names and sentences.
enum class Checked : int32_t {
  kNothing = 0,
  kQueryLengths,
  kKeyLengths,
  kEmbedIndex,
  kEmbedPositionIndex,
  kGatherIndex,
  kScatterIndex,
  kHeadForwardT,
  kChainPlace,
  kChainPlaceTwice,
  kChainCfg,
  kChainTemperature,
};

// Lies in pinned memory that the device writes; zeros mean that all is well.
struct DeviceErrors {
  int32_t array;  // a Checked
  int32_t reserved;
  int64_t index;   // of the element
  double value;    // what it is
  int64_t lowest;  // and what is allowed; for factors 0 and up
  int64_t highest;
};

// Keeps the finding if it is the first one.
__device__ __forceinline__ void report(DeviceErrors* errors, Checked array, int64_t index, double value, int64_t lowest,
                                       int64_t highest) {
  if (atomic_compare_swap(&errors->array, 0, static_cast<int32_t>(array)) != 0) return;
  errors->index = index;
  errors->value = value;
  errors->lowest = lowest;
  errors->highest = highest;
  fence();
}

// Host, after a synchronisation: GTR_OK if there is no finding; else GTR_ERROR_INVALID_ARGUMENT with the sentence that
// the CPU backend has for the same mistake, and the finding is taken away. calls: those since the last look.
gtr_status take_finding(DeviceErrors& errors, const CallLog& calls) noexcept;

}  // namespace gtr::cuda
