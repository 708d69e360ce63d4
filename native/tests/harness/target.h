// What the cases run on: one opened device and a stream of it.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "gtr/gtr.h"

namespace gtr::test {

// Ends a case at once: something that it needs went wrong.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws a Failure with the library's message unless status is GTR_OK.
void require_ok(gtr_status status, const char* what);

class Target {
 public:
  Target(int32_t backend, int32_t tier, int32_t threads);
  ~Target();
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  gtr_device* device() const { return device_; }
  gtr_stream* stream() const { return stream_; }
  // Copies to and from the tensors of a backend that does not work in host memory; apart from stream(), which a case
  // may have cancelled.
  gtr_stream* copies() const { return copies_; }
  void wait_for_copies() const;
  const gtr_device_info& info() const { return info_; }
  bool is_cpu() const { return info_.backend == GTR_BACKEND_CPU; }
  // The sources of the CUDA backend on the CPU: some ten thousand times slower than a card.
  bool is_emulated() const;
  gtr_memory_stats memory() const;

 private:
  gtr_device* device_ = nullptr;
  gtr_stream* stream_ = nullptr;
  gtr_stream* copies_ = nullptr;
  gtr_device_info info_{};
};

// Names as on the command line; null or -1 for an unknown one.
const char* tier_name(int32_t tier);
int32_t tier_of(const std::string& name);

struct DestroyStream {
  void operator()(gtr_stream* stream) const { gtr_stream_destroy(stream); }
};
struct DestroyLinear {
  void operator()(gtr_linear_weights* linear) const { gtr_linear_destroy(linear); }
};
struct DestroyHead {
  void operator()(gtr_head* head) const { gtr_head_destroy(head); }
};
using StreamHandle = std::unique_ptr<gtr_stream, DestroyStream>;
using LinearHandle = std::unique_ptr<gtr_linear_weights, DestroyLinear>;
using HeadHandle = std::unique_ptr<gtr_head, DestroyHead>;

}  // namespace gtr::test
