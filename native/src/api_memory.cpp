// Memory that the library allocates for its callers.
#include "check.h"
#include "errors.h"
#include "handles.h"
#include "out_of_memory.h"

using namespace gtr;

gtr_status gtr_allocate(gtr_device* device, int32_t space, int64_t bytes, void** data) {
  Check check("gtr_allocate");
  if (check.not_null("data", data)) *data = nullptr;
  check.not_null("device", device);
  if (check.ok() && space != GTR_MEMORY_DEVICE && space != GTR_MEMORY_HOST) {
    check.fail(GTR_ERROR_INVALID_ARGUMENT, "space", "space is %d; allowed are %d (device), %d (host)", space,
               GTR_MEMORY_DEVICE, GTR_MEMORY_HOST);
  }
  check.range("bytes", bytes, 1, INT64_MAX);
  if (!check.ok()) return check.status();

  const auto where = static_cast<gtr_memory_space>(space);
  AllocationTable::Entry* entry = AllocationTable::create_entry(device->memory);
  void* memory = nullptr;
  gtr_status status = GTR_ERROR_OUT_OF_MEMORY;
  if (entry != nullptr) status = device->backend->allocate(device->implementation, where, bytes, &memory);
  if (status != GTR_OK) {
    AllocationTable::destroy_entry(device->memory, entry);
    if (status != GTR_ERROR_OUT_OF_MEMORY) return status;
    return fail_out_of_memory(*device, check.operation(), "bytes", "%lld bytes", static_cast<long long>(bytes));
  }
  entry->data = memory;
  entry->bytes = bytes;
  entry->space = where;
  device->allocations.insert(entry);
  *data = memory;
  return GTR_OK;
}

gtr_status gtr_free(gtr_device* device, void* data) {
  Check check("gtr_free");
  if (!check.not_null("device", device)) return check.status();
  if (data == nullptr) return GTR_OK;
  AllocationTable::Entry* entry = device->allocations.remove(data);
  if (entry == nullptr) {
    return fail(GTR_ERROR_INVALID_ARGUMENT, check.operation(), "data",
                "data is %p; allowed are addresses that gtr_allocate of this device returned and that are not freed",
                data);
  }
  device->backend->release(device->implementation, entry->space, data, entry->bytes);
  AllocationTable::destroy_entry(device->memory, entry);
  return GTR_OK;
}

gtr_status gtr_copy(gtr_stream* stream, void* target, const void* source, int64_t bytes) {
  Check check("gtr_copy");
  const StreamUse use(check, stream);
  check.range("bytes", bytes, 0, INT64_MAX);
  if (check.ok() && bytes > 0) {
    check.not_null("target", target);
    check.not_null("source", source);
    const uint64_t to = reinterpret_cast<uintptr_t>(target);
    const uint64_t from = reinterpret_cast<uintptr_t>(source);
    const uint64_t size = static_cast<uint64_t>(bytes);
    if (check.ok() && (size > UINTPTR_MAX - to || size > UINTPTR_MAX - from)) {
      check.fail(GTR_ERROR_INVALID_ARGUMENT, "bytes", "bytes is %lld, beyond the end of the address space",
                 static_cast<long long>(bytes));
    }
    if (check.ok() && to < from + size && from < to + size) {
      check.fail(GTR_ERROR_INVALID_ARGUMENT, "target", "target overlaps source; allowed are ranges apart");
    }
  }
  if (!check.ok()) return check.status();
  if (stream->cancelled.load(std::memory_order_relaxed)) return cancelled(check);
  if (bytes == 0) return GTR_OK;
  return reported(check, stream->device->backend->copy(stream->implementation, target, source, bytes));
}

gtr_status gtr_memory_get_stats(const gtr_device* device, gtr_memory_stats* stats) {
  Check check("gtr_memory_get_stats");
  check.not_null("device", device);
  check.not_null("stats", stats);
  if (!check.ok()) return check.status();
  stats->live_bytes = device->memory.live_bytes();
  stats->peak_bytes = device->memory.peak_bytes();
  stats->allocations = device->allocations.size();
  stats->handles = device->handles();
  return GTR_OK;
}
