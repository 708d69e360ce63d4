#include "gtr_replay.h"

#include <stdexcept>

#include "guarded.h"
#include "recording.h"

using gtr::bench::guarded;
using gtr::bench::Recording;

namespace {

class Stream {
 public:
  explicit Stream(gtr_device* device) {
    if (gtr_stream_create(device, nullptr, &stream_) != GTR_OK) {
      throw std::runtime_error("the device gives no stream");
    }
  }
  ~Stream() { gtr_stream_destroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  gtr_stream* get() const { return stream_; }

 private:
  gtr_stream* stream_ = nullptr;
};

}  // namespace

extern "C" {

const char* gtr_replay_last_error() { return gtr::bench::last_error.c_str(); }

int32_t gtr_replay_take_seconds(double* seconds) {
  return guarded([&] { *seconds = Recording::instance().take_spent(); });
}

int32_t gtr_replay_start() {
  return guarded([] { Recording::instance().start(); });
}

int32_t gtr_replay_stop(int64_t* calls) {
  return guarded([&] { *calls = Recording::instance().stop(); });
}

int32_t gtr_replay_run(double* seconds) {
  return guarded([&] {
    // Not the recorded one: its owner may be about to reset it.
    const Stream stream(Recording::instance().device());
    *seconds = Recording::instance().run(stream.get());
  });
}

}  // extern "C"
