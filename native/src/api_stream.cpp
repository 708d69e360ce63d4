// Streams: the order of calls, and their cancellation.
#include "check.h"
#include "errors.h"
#include "handles.h"

using namespace gtr;

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
  const Backend& backend = *stream->device->backend;
  return backend.stream_synchronize == nullptr ? GTR_OK : backend.stream_synchronize(stream->implementation);
}

// The flag alone is written, since these come from any thread while a call runs on the stream.
gtr_status gtr_stream_cancel(gtr_stream* stream) {
  Check check("gtr_stream_cancel");
  if (!check.not_null("stream", stream)) return check.status();
  stream->cancelled.store(true, std::memory_order_relaxed);
  return GTR_OK;
}

gtr_status gtr_stream_reset(gtr_stream* stream) {
  Check check("gtr_stream_reset");
  if (!check.not_null("stream", stream)) return check.status();
  stream->cancelled.store(false, std::memory_order_relaxed);
  return GTR_OK;
}
