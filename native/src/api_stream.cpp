// Streams: the order of calls, and their cancellation.
#include <mutex>

#include "check.h"
#include "errors.h"
#include "handles.h"

using namespace gtr;

namespace {

gtr_status wait(gtr_stream& stream) noexcept {
  const Backend& backend = *stream.device->backend;
  return backend.stream_synchronize == nullptr ? GTR_OK : backend.stream_synchronize(stream.implementation);
}

// The host's flag and the backend's copy of it, in one order for all threads.
gtr_status set_cancelled(gtr_stream& stream, bool cancelled) noexcept {
  const Backend& backend = *stream.device->backend;
  const std::lock_guard<Mutex> lock(stream.cancelling);
  stream.cancelled.store(cancelled, std::memory_order_relaxed);
  return backend.stream_cancel == nullptr ? GTR_OK : backend.stream_cancel(stream.implementation, cancelled);
}

}  // namespace

gtr_status gtr_stream_create(gtr_device* device, void* external, gtr_stream** stream) {
  Check check("gtr_stream_create");
  if (check.not_null("stream", stream)) *stream = nullptr;
  if (!check.not_null("device", device)) return check.status();

  gtr_stream* created = create_handle<gtr_stream>(device->memory, device);
  if (created == nullptr) {
    return fail(GTR_ERROR_OUT_OF_MEMORY, check.operation(), "", "no memory for the stream's own %lld bytes",
                static_cast<long long>(sizeof(gtr_stream)));
  }
  const gtr_status status =
      device->backend->stream_create(device->implementation, external, &created->cancelled, &created->implementation);
  if (status != GTR_OK) {
    destroy_handle(device->memory, created);
    return status;
  }
  device->streams.fetch_add(1, std::memory_order_relaxed);
  *stream = created;
  return GTR_OK;
}

gtr_status gtr_stream_destroy(gtr_stream* stream) {
  if (stream == nullptr) return GTR_OK;
  Check check("gtr_stream_destroy");
  if (!stream->use.try_alone()) {
    check.fail(GTR_ERROR_BUSY, "stream", "stream is in use by a call on another thread");
    return check.status();
  }
  gtr_device* device = stream->device;
  device->backend->stream_destroy(stream->implementation);
  destroy_handle(device->memory, stream);
  device->streams.fetch_sub(1, std::memory_order_relaxed);
  return GTR_OK;
}

gtr_status gtr_stream_synchronize(gtr_stream* stream) {
  Check check("gtr_stream_synchronize");
  const StreamUse use(check, stream);
  if (!check.ok()) return check.status();
  return reported(check, wait(*stream));
}

gtr_status gtr_stream_cancel(gtr_stream* stream) {
  Check check("gtr_stream_cancel");
  if (!check.not_null("stream", stream)) return check.status();
  return set_cancelled(*stream, true);
}

gtr_status gtr_stream_reset(gtr_stream* stream) {
  Check check("gtr_stream_reset");
  const StreamUse use(check, stream);
  if (!check.ok()) return check.status();
  const gtr_status status = wait(*stream);
  if (status != GTR_OK && status != GTR_ERROR_CANCELLED) return status;
  return set_cancelled(*stream, false);
}
