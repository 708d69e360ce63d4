// A stream of the backend: what its calls run on, and what is still to be said about them.
#pragma once

#include <atomic>

#include "call_log.h"
#include "device_state.h"
#include "operations.h"

namespace gtr::cuda {

struct Stream {
  Context context = {};
  bool is_external = false;                      // another library's, which is left alone
  const std::atomic<bool>* cancelled = nullptr;  // the host's flag
  int32_t* cancelled_on_device = nullptr;        // its copy that chains look at, context.cancelled
  CallLog calls;                                 // since the last check
};

// external: a cudaStream_t, or null to create one. stream.cu, like all that follows.
gtr_status open_stream(Device& device, void* external, const std::atomic<bool>* cancelled, Stream** stream) noexcept;
// Waits for the stream, whose calls use what is freed here.
void close_stream(Stream* stream) noexcept;

// Before and after the launches of one call. begin_call refuses on a lost device. end_call gives the status of the
// launches, and with GTR_SYNC that of their execution.
gtr_status begin_call(Stream& stream, const char* operation) noexcept;
gtr_status end_call(Stream& stream, const char* operation) noexcept;

// Waits, and reports what went wrong since the last check: an asynchronous failure, a finding of a kernel (see
// device_errors.h), or GTR_ERROR_CANCELLED, for which the caller has to call fail().
gtr_status check_stream(Stream& stream, const char* operation) noexcept;

// Copies the host's flag to the device, past all that the stream still has to do. From any thread, one at a time.
gtr_status signal_cancelled(Stream& stream, bool cancelled) noexcept;

}  // namespace gtr::cuda
