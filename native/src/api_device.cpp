// Devices: counting, opening, closing.
#include <cstdio>
#include <cstdlib>
#include <new>

#include "check.h"
#include "errors.h"
#include "handles.h"
#include "registry.h"
#include "tier_detection.h"

using namespace gtr;

namespace {

bool check_backend(Check& check, const char* argument, int32_t backend) noexcept {
  if (!check.ok()) return false;
  return (backend >= GTR_BACKEND_AUTO && backend <= GTR_BACKEND_CUDA) ||
         check.fail(GTR_ERROR_INVALID_ARGUMENT, argument, "%s is %d; allowed are %d (auto), %d (cpu), %d (cuda)",
                    argument, backend, GTR_BACKEND_AUTO, GTR_BACKEND_CPU, GTR_BACKEND_CUDA);
}

// The device owns the memory that counts, so its own bytes cannot come from there; they are counted in it instead.
gtr_device* create_device() noexcept {
  void* place = allocation_must_fail() ? nullptr : std::malloc(sizeof(gtr_device));
  if (place == nullptr) return nullptr;
  auto* device = new (place) gtr_device;
  device->memory.count(sizeof(gtr_device));
  return device;
}

void destroy_device(gtr_device* device) noexcept {
  device->~gtr_device();
  std::free(device);
}

// Opens a device of the first backend in the order of preference that can; reason gets why the others could not.
gtr_status open_any(const gtr_device_options& options, gtr_device& device) noexcept {
  size_t length = 0;
  char* reason = device.info.reason;
  const size_t size = sizeof device.info.reason;
  const auto append = [&](const char* format, auto... values) {
    if (length < size) length += static_cast<size_t>(std::snprintf(reason + length, size - length, format, values...));
  };
  for (const gtr_backend id : kBackendPreference) {
    const BackendEntry entry = find_backend(id);
    if (entry.backend == nullptr) {
      append("%s; ", entry.absent);
      continue;
    }
    int32_t count = 0;
    char detail[256];
    gtr_status status = entry.backend->device_count(&count, detail, sizeof detail);
    if (status != GTR_OK || count == 0) {
      append("%s; ", detail);
      continue;
    }
    const size_t before = length;
    append("%sauto chose %s: ", length == 0 ? "" : "so ", entry.backend->name);
    device.backend = entry.backend;
    status = entry.backend->device_open(options, device.memory, &device.implementation, &device.info);
    if (status == GTR_OK || status == GTR_ERROR_INVALID_ARGUMENT || id == GTR_BACKEND_CPU) return status;
    length = before;
    append("%.*s; ", 160, gtr_last_error());
  }
  return fail(GTR_ERROR_NO_DEVICE, "gtr_device_open", "options", "no backend has a device here: %s", reason);
}

gtr_status open(const gtr_device_options& options, gtr_device& device) noexcept {
  if (options.backend == GTR_BACKEND_AUTO) return open_any(options, device);
  const BackendEntry entry = find_backend(static_cast<gtr_backend>(options.backend));
  if (entry.backend == nullptr) {
    return fail(GTR_ERROR_NO_DEVICE, "gtr_device_open", "options.backend", "options.backend is %s, but %s",
                backend_name(options.backend), entry.absent);
  }
  device.backend = entry.backend;
  std::snprintf(device.info.reason, sizeof device.info.reason, "%s was asked for: ", entry.backend->name);
  return entry.backend->device_open(options, device.memory, &device.implementation, &device.info);
}

}  // namespace

gtr_status gtr_device_count(int32_t backend, int32_t* count, char* detail, int64_t detail_size) {
  Check check("gtr_device_count");
  check_backend(check, "backend", backend);
  check.not_null("count", count);
  if (detail != nullptr) check.range("detail_size", detail_size, 1, INT64_MAX);
  if (!check.ok()) return check.status();

  *count = 0;
  char sentence[768] = "";
  size_t length = 0;
  for (const gtr_backend id : kBackendPreference) {
    if (backend != GTR_BACKEND_AUTO && backend != id) continue;
    const BackendEntry entry = find_backend(id);
    char part[512];
    int32_t found = 0;
    if (entry.backend == nullptr) {
      std::snprintf(part, sizeof part, "%s", entry.absent);
    } else {
      const gtr_status status = entry.backend->device_count(&found, part, sizeof part);
      if (status != GTR_OK) return status;
    }
    *count += found;
    if (length < sizeof sentence) {
      length += static_cast<size_t>(
          std::snprintf(sentence + length, sizeof sentence - length, "%s%s", length == 0 ? "" : "; ", part));
    }
  }
  if (detail != nullptr) std::snprintf(detail, static_cast<size_t>(detail_size), "%s", sentence);
  return GTR_OK;
}

gtr_status gtr_cpu_tier_available(int32_t tier, int32_t* available) {
  Check check("gtr_cpu_tier_available");
  check.range("tier", tier, GTR_TIER_SCALAR, GTR_TIER_AMX_BF16);
  check.not_null("available", available);
  if (!check.ok()) return check.status();
  *available = cpu::tier_available(static_cast<cpu::Tier>(tier)) ? 1 : 0;
  return GTR_OK;
}

gtr_status gtr_device_open(const gtr_device_options* options, gtr_device** device) {
  Check check("gtr_device_open");
  if (check.not_null("device", device)) *device = nullptr;
  if (!check.not_null("options", options)) return check.status();
  check_backend(check, "options.backend", options->backend);
  check.range("options.threads", options->threads, 0, 1024);
  check.range("options.tier", options->tier, GTR_TIER_AUTO, GTR_TIER_AMX_BF16);
  check.range("options.index", options->index, 0, INT32_MAX);
  if (!check.ok()) return check.status();

  gtr_device* opened = create_device();
  if (opened == nullptr) {
    return fail(GTR_ERROR_OUT_OF_MEMORY, check.operation(), "", "no memory for the device's own %lld bytes",
                static_cast<long long>(sizeof(gtr_device)));
  }
  const gtr_status status = open(*options, *opened);
  if (status != GTR_OK) {
    destroy_device(opened);
    return status;
  }
  *device = opened;
  return GTR_OK;
}

gtr_status gtr_device_close(gtr_device* device) {
  if (device == nullptr) return GTR_OK;
  const int64_t allocations = device->allocations.size();
  if (device->handles() != 0 || allocations != 0) {
    return fail(GTR_ERROR_BUSY, "gtr_device_close", "device",
                "device still owns %lld streams, %lld linears, %lld heads and %lld allocations; allowed are none",
                static_cast<long long>(device->streams), static_cast<long long>(device->linears),
                static_cast<long long>(device->heads), static_cast<long long>(allocations));
  }
  device->backend->device_close(device->implementation);
  destroy_device(device);
  return GTR_OK;
}

gtr_status gtr_device_get_info(const gtr_device* device, gtr_device_info* info) {
  Check check("gtr_device_get_info");
  check.not_null("device", device);
  check.not_null("info", info);
  if (!check.ok()) return check.status();
  *info = device->info;
  return GTR_OK;
}
