#include "session.h"

namespace gtr::bench {

void check(gtr_status status) {
  if (status != GTR_OK) {
    throw Failure(gtr_last_error());
  }
}

void Session::open(const gtr_device_options& options, void* external_stream) {
  check(gtr_device_open(&options, &device_));
  check(gtr_device_get_info(device_, &info_));
  check(gtr_stream_create(device_, external_stream, &stream_));
}

Session::~Session() {
  gtr_stream_destroy(stream_);
  gtr_device_close(device_);
}

}  // namespace gtr::bench
