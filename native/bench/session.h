// A device and a stream on it, as matrices, models and runs need them.
#pragma once

#include <stdexcept>

#include "gtr/gtr.h"

namespace gtr::bench {

// A call of the library that was refused or failed; a benchmark ends with it.
class Failure : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws Failure with the library's message if a call failed.
void check(gtr_status status);

class Session {
 public:
  // Without a device until open.
  Session() = default;
  explicit Session(const gtr_device_options& options) { open(options, nullptr); }
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  gtr_device* device() const { return device_; }
  gtr_stream* stream() const { return stream_; }
  const gtr_device_info& info() const { return info_; }

  // Whether calls return when they are enqueued.
  bool is_asynchronous() const { return info_.backend == GTR_BACKEND_CUDA; }

 protected:
  // external_stream: a CUDA stream, or null for one of the library's.
  void open(const gtr_device_options& options, void* external_stream);

 private:
  gtr_device* device_ = nullptr;
  gtr_stream* stream_ = nullptr;
  gtr_device_info info_{};
};

}  // namespace gtr::bench
