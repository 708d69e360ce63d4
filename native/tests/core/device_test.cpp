// Devices, streams and memory at the C ABI: every refusal, tiers by option and by environment, threads, what keeps a
// device open.
#include <climits>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>

#include "fixture.h"
#include "tier_detection.h"

namespace gtr::test {
namespace {

constexpr gtr_status kInvalid = GTR_ERROR_INVALID_ARGUMENT;

// The CUDA backend's library is named so that there is none, whatever the machine has.
constexpr const char* kAbsent = "there is no file \"/nowhere\", which GTR_CUDA_LIBRARY names";

void versions_and_names() {
  EXPECT(gtr_abi_version() == GTR_ABI_VERSION);
  EXPECT(std::strncmp(gtr_version(), "0.", 2) == 0);
  EXPECT(std::strcmp(gtr_status_name(GTR_OK), "GTR_OK") == 0);
  EXPECT(std::strcmp(gtr_status_name(GTR_ERROR_INTERNAL), "GTR_ERROR_INTERNAL") == 0);
  EXPECT(std::strcmp(gtr_status_name(static_cast<gtr_status>(99)), "unknown status") == 0);
  EXPECT(gtr_last_error() != nullptr && gtr_last_error_operation() != nullptr && gtr_last_error_argument() != nullptr);
}

void counting() {
  int32_t count = -1;
  char detail[256];
  EXPECT_OK(gtr_device_count(GTR_BACKEND_CPU, &count, detail, sizeof detail));
  EXPECT(count == 1 && std::strstr(detail, "CPU") != nullptr);
  EXPECT_OK(gtr_device_count(GTR_BACKEND_CUDA, &count, detail, sizeof detail));
  EXPECT(count == 0 && std::strstr(detail, kAbsent) != nullptr);
  EXPECT_OK(gtr_device_count(GTR_BACKEND_AUTO, &count, nullptr, 0));
  EXPECT(count == 1);
  std::memset(detail, 'x', sizeof detail);
  EXPECT_OK(gtr_device_count(GTR_BACKEND_CPU, &count, detail, 4));  // cut, and no byte too far
  EXPECT(std::strlen(detail) == 3 && detail[4] == 'x');

  constexpr const char* kOperation = "gtr_device_count";
  EXPECT_REFUSED(gtr_device_count(3, &count, nullptr, 0), kInvalid, kOperation, "backend", "backend is 3; allowed");
  EXPECT_REFUSED(gtr_device_count(-1, &count, nullptr, 0), kInvalid, kOperation, "backend", "backend is -1");
  EXPECT_REFUSED(gtr_device_count(0, nullptr, nullptr, 0), kInvalid, kOperation, "count", "count is null");
  EXPECT_REFUSED(gtr_device_count(0, &count, detail, 0), kInvalid, kOperation, "detail_size", "detail_size is 0");
  EXPECT_REFUSED(gtr_device_count(0, &count, detail, -5), kInvalid, kOperation, "detail_size", "detail_size is -5");
}

gtr_status open(gtr_device_options options, gtr_device** device) { return gtr_device_open(&options, device); }

void opening() {
  constexpr const char* kOperation = "gtr_device_open";
  char unset;
  gtr_device* const poison = reinterpret_cast<gtr_device*>(&unset);
  gtr_device* device = poison;
  const auto refused = [&](gtr_device_options options, gtr_status status, const char* argument, const char* text) {
    device = poison;
    EXPECT_REFUSED(gtr_device_open(&options, &device), status, kOperation, argument, text);
    EXPECT(device == nullptr);
  };
  EXPECT_REFUSED(gtr_device_open(nullptr, &device), kInvalid, kOperation, "options", "options is null");
  EXPECT(device == nullptr);
  gtr_device_options options = {};
  EXPECT_REFUSED(gtr_device_open(&options, nullptr), kInvalid, kOperation, "device", "device is null");
  refused({3, 0, 0, 0}, kInvalid, "options.backend", "options.backend is 3");
  refused({-1, 0, 0, 0}, kInvalid, "options.backend", "options.backend is -1");
  refused({GTR_BACKEND_CPU, 0, -1, 0}, kInvalid, "options.threads", "options.threads is -1; allowed are 0 to 1024");
  refused({GTR_BACKEND_CPU, 0, 1025, 0}, kInvalid, "options.threads", "options.threads is 1025");
  refused({GTR_BACKEND_CPU, 0, 1, -1}, kInvalid, "options.tier", "options.tier is -1");
  refused({GTR_BACKEND_CPU, 0, 1, 6}, kInvalid, "options.tier", "options.tier is 6; allowed are 0 to 5");
  refused({GTR_BACKEND_CPU, -1, 1, 0}, kInvalid, "options.index", "options.index is -1");
  refused({GTR_BACKEND_CPU, 1, 1, 0}, GTR_ERROR_NO_DEVICE, "options.index", "options.index is 1; allowed is 0");
  refused({GTR_BACKEND_CUDA, 0, 0, 0}, GTR_ERROR_NO_DEVICE, "options.backend", kAbsent);

  // Only auto falls back, and says so.
  gtr_device_info info = {};
  EXPECT_OK(open({GTR_BACKEND_AUTO, 0, 1, 0}, &device));
  EXPECT_OK(gtr_device_get_info(device, &info));
  EXPECT(info.backend == GTR_BACKEND_CPU && info.index == 0 && info.threads == 1);
  EXPECT(std::strstr(info.reason, kAbsent) != nullptr && std::strstr(info.reason, "; so auto chose cpu") != nullptr);
  EXPECT(info.memory_total > 0 && info.name[0] != '\0');
  EXPECT_REFUSED(gtr_device_get_info(nullptr, &info), kInvalid, "gtr_device_get_info", "device", "device is null");
  EXPECT_REFUSED(gtr_device_get_info(device, nullptr), kInvalid, "gtr_device_get_info", "info", "info is null");
  EXPECT_OK(gtr_device_close(device));
  EXPECT_OK(gtr_device_close(nullptr));

  EXPECT_OK(open({GTR_BACKEND_CPU, 0, 5, 0}, &device));
  EXPECT_OK(gtr_device_get_info(device, &info));
  EXPECT(info.threads == 5 && std::strstr(info.reason, "cpu was asked for") != nullptr);
  EXPECT_OK(gtr_device_close(device));
}

void tiers() {
  int32_t available = -1;
  EXPECT_OK(gtr_cpu_tier_available(GTR_TIER_SCALAR, &available));
  EXPECT(available == 1);
  for (const int32_t tier : {-1, 0, 6}) {
    EXPECT_REFUSED(gtr_cpu_tier_available(tier, &available), kInvalid, "gtr_cpu_tier_available", "tier",
                   "; allowed are 1 to 5");
  }
  EXPECT_REFUSED(gtr_cpu_tier_available(GTR_TIER_SCALAR, nullptr), kInvalid, "gtr_cpu_tier_available", "available",
                 "available is null");

  bool higher_available = true;  // a tier is available only if those below are
  for (int32_t tier = GTR_TIER_AMX_BF16; tier >= GTR_TIER_SCALAR; --tier) {
    EXPECT_OK(gtr_cpu_tier_available(tier, &available));
    if (tier < GTR_TIER_AMX_BF16) EXPECT(available == 1 || !higher_available);
    higher_available = available == 1;
    const char* name = cpu::tier_name(static_cast<cpu::Tier>(tier));

    gtr_device* device = nullptr;
    gtr_device_info info = {};
    const gtr_status by_option = open({GTR_BACKEND_CPU, 0, 1, tier}, &device);
    if (available == 1) {
      EXPECT_STATUS(by_option, GTR_OK);
      EXPECT_OK(gtr_device_get_info(device, &info));
      EXPECT(info.tier == tier && std::strstr(info.reason, name) != nullptr);
      EXPECT_OK(gtr_device_close(device));
    } else {
      EXPECT_REFUSED(by_option, GTR_ERROR_UNSUPPORTED, "gtr_device_open", "options.tier", name);
    }

    setenv("GTR_CPU_TIER", name, 1);
    const gtr_status by_environment = open({GTR_BACKEND_CPU, 0, 1, GTR_TIER_AUTO}, &device);
    if (available == 1) {
      EXPECT_STATUS(by_environment, GTR_OK);
      EXPECT_OK(gtr_device_get_info(device, &info));
      EXPECT(info.tier == tier && std::strstr(info.reason, "GTR_CPU_TIER") != nullptr);
      EXPECT_OK(gtr_device_close(device));
      // The option comes first.
      EXPECT_OK(open({GTR_BACKEND_CPU, 0, 1, GTR_TIER_SCALAR}, &device));
      EXPECT_OK(gtr_device_get_info(device, &info));
      EXPECT(info.tier == GTR_TIER_SCALAR);
      EXPECT_OK(gtr_device_close(device));
    } else {
      EXPECT_REFUSED(by_environment, GTR_ERROR_UNSUPPORTED, "gtr_device_open", "GTR_CPU_TIER", name);
    }
    unsetenv("GTR_CPU_TIER");
  }

  gtr_device* device = nullptr;
  setenv("GTR_CPU_TIER", "sse9", 1);
  EXPECT_REFUSED(open({GTR_BACKEND_CPU, 0, 1, GTR_TIER_AUTO}, &device), kInvalid, "gtr_device_open", "GTR_CPU_TIER",
                 "is \"sse9\"; allowed are scalar, avx2");
  unsetenv("GTR_CPU_TIER");
  EXPECT_OK(open({GTR_BACKEND_CPU, 0, 1, GTR_TIER_AUTO}, &device));
  gtr_device_info info = {};
  EXPECT_OK(gtr_device_get_info(device, &info));
  EXPECT(info.tier == static_cast<int32_t>(cpu::best_tier()));
  EXPECT_OK(gtr_device_close(device));
}

void threads_from_the_environment() {
  gtr_device* device = nullptr;
  gtr_device_info info = {};
  setenv("GTR_THREADS", "3", 1);
  EXPECT_OK(open({GTR_BACKEND_CPU, 0, 0, 0}, &device));
  EXPECT_OK(gtr_device_get_info(device, &info));
  EXPECT(info.threads == 3 && std::strstr(info.reason, "GTR_THREADS") != nullptr);
  EXPECT_OK(gtr_device_close(device));
  for (const char* text : {"0", "-1", "1025", "two", "2x", "99999999999999999999"}) {
    setenv("GTR_THREADS", text, 1);
    EXPECT_REFUSED(open({GTR_BACKEND_CPU, 0, 0, 0}, &device), kInvalid, "gtr_device_open", "GTR_THREADS",
                   (std::string("\"") + text + "\"; allowed are 1 to 1024").c_str());
    EXPECT_OK(open({GTR_BACKEND_CPU, 0, 1, 0}, &device));  // not looked at
    EXPECT_OK(gtr_device_close(device));
  }
  unsetenv("GTR_THREADS");
  EXPECT_OK(open({GTR_BACKEND_CPU, 0, 0, 0}, &device));
  EXPECT_OK(gtr_device_get_info(device, &info));
  EXPECT(info.threads >= 1 && std::strstr(info.reason, "affinity") != nullptr);
  EXPECT_OK(gtr_device_close(device));
}

void streams() {
  const Fixture f;
  gtr_stream* stream = f.stream;
  EXPECT_REFUSED(gtr_stream_create(nullptr, nullptr, &stream), kInvalid, "gtr_stream_create", "device", "is null");
  EXPECT(stream == nullptr);
  EXPECT_REFUSED(gtr_stream_create(f.device, nullptr, nullptr), kInvalid, "gtr_stream_create", "stream", "is null");
  int external = 0;
  EXPECT_REFUSED(gtr_stream_create(f.device, &external, &stream), kInvalid, "gtr_stream_create", "external",
                 "allowed on the CPU");
  EXPECT_OK(gtr_stream_destroy(nullptr));
  EXPECT_OK(gtr_stream_synchronize(f.stream));
  EXPECT_REFUSED(gtr_stream_synchronize(nullptr), kInvalid, "gtr_stream_synchronize", "stream", "is null");
  EXPECT_REFUSED(gtr_stream_cancel(nullptr), kInvalid, "gtr_stream_cancel", "stream", "is null");
  EXPECT_REFUSED(gtr_stream_reset(nullptr), kInvalid, "gtr_stream_reset", "stream", "is null");
}

void memory() {
  const Fixture f;
  const gtr_memory_stats before = f.stats();
  EXPECT(before.allocations == 0 && before.handles == 1 && before.live_bytes > 0);
  EXPECT(before.peak_bytes >= before.live_bytes);

  char unset;
  void* data = &unset;
  constexpr const char* kAllocate = "gtr_allocate";
  EXPECT_REFUSED(gtr_allocate(nullptr, 0, 64, &data), kInvalid, kAllocate, "device", "device is null");
  EXPECT(data == nullptr);
  EXPECT_REFUSED(gtr_allocate(f.device, 0, 64, nullptr), kInvalid, kAllocate, "data", "data is null");
  EXPECT_REFUSED(gtr_allocate(f.device, 2, 64, &data), kInvalid, kAllocate, "space", "space is 2; allowed");
  EXPECT_REFUSED(gtr_allocate(f.device, -1, 64, &data), kInvalid, kAllocate, "space", "space is -1");
  EXPECT_REFUSED(gtr_allocate(f.device, 0, 0, &data), kInvalid, kAllocate, "bytes", "bytes is 0");
  EXPECT_REFUSED(gtr_allocate(f.device, 0, INT64_MIN, &data), kInvalid, kAllocate, "bytes", "bytes is -");
  for (const int64_t bytes : {INT64_MAX, INT64_MAX / 2}) {
    data = &unset;
    EXPECT_REFUSED(gtr_allocate(f.device, 0, bytes, &data), GTR_ERROR_OUT_OF_MEMORY, kAllocate, "bytes", "no memory");
    EXPECT(data == nullptr);
  }
  EXPECT(f.stats().live_bytes == before.live_bytes);

  void* blocks[3] = {};
  const int64_t sizes[3] = {1, 1000, int64_t{9} << 20};
  for (int i = 0; i < 3; ++i) {
    EXPECT_OK(gtr_allocate(f.device, i % 2, sizes[i], &blocks[i]));
    EXPECT(reinterpret_cast<uintptr_t>(blocks[i]) % GTR_ALIGNMENT == 0);
    std::memset(blocks[i], 1, static_cast<size_t>(sizes[i]));
  }
  const gtr_memory_stats full = f.stats();
  EXPECT(full.allocations == 3);
  EXPECT(full.live_bytes - before.live_bytes >= sizes[0] + sizes[1] + sizes[2]);

  // Only what was allocated can be freed, and only once, by its own device.
  constexpr const char* kFree = "gtr_free";
  EXPECT_REFUSED(gtr_free(nullptr, blocks[0]), kInvalid, kFree, "device", "device is null");
  EXPECT_OK(gtr_free(f.device, nullptr));
  EXPECT_REFUSED(gtr_free(f.device, &unset), kInvalid, kFree, "data", "allowed are addresses");
  EXPECT_REFUSED(gtr_free(f.device, static_cast<char*>(blocks[1]) + 64), kInvalid, kFree, "data", "data is 0x");
  EXPECT_REFUSED(gtr_free(f.device, reinterpret_cast<void*>(64)), kInvalid, kFree, "data", "data is 0x40");
  {
    const Fixture other;
    EXPECT_REFUSED(gtr_free(other.device, blocks[0]), kInvalid, kFree, "data", "of this device");
  }
  EXPECT_OK(gtr_free(f.device, blocks[0]));
  EXPECT_REFUSED(gtr_free(f.device, blocks[0]), kInvalid, kFree, "data", "not freed");

  constexpr const char* kClose = "gtr_device_close";
  EXPECT_REFUSED(gtr_device_close(f.device), GTR_ERROR_BUSY, kClose, "device",
                 "1 streams, 0 linears, 0 heads and 2 allocations");
  EXPECT_OK(gtr_free(f.device, blocks[1]));
  EXPECT_OK(gtr_free(f.device, blocks[2]));
  const gtr_memory_stats after = f.stats();
  EXPECT(after.live_bytes == before.live_bytes && after.allocations == 0);
  EXPECT(after.peak_bytes >= full.live_bytes);

  gtr_memory_stats stats;
  EXPECT_REFUSED(gtr_memory_get_stats(nullptr, &stats), kInvalid, "gtr_memory_get_stats", "device", "is null");
  EXPECT_REFUSED(gtr_memory_get_stats(f.device, nullptr), kInvalid, "gtr_memory_get_stats", "stats", "is null");
}

void copying() {
  const Fixture f;
  char bytes[64];
  for (int i = 0; i < 64; ++i) bytes[i] = static_cast<char>(i);
  constexpr const char* kOperation = "gtr_copy";
  EXPECT_REFUSED(gtr_copy(nullptr, bytes, bytes + 32, 8), kInvalid, kOperation, "stream", "stream is null");
  EXPECT_REFUSED(gtr_copy(f.stream, nullptr, bytes, 8), kInvalid, kOperation, "target", "target is null");
  EXPECT_REFUSED(gtr_copy(f.stream, bytes, nullptr, 8), kInvalid, kOperation, "source", "source is null");
  EXPECT_REFUSED(gtr_copy(f.stream, bytes, bytes + 32, -1), kInvalid, kOperation, "bytes", "bytes is -1");
  EXPECT_REFUSED(gtr_copy(f.stream, bytes, bytes + 7, 8), kInvalid, kOperation, "target", "target overlaps source");
  EXPECT_REFUSED(gtr_copy(f.stream, bytes + 7, bytes, 8), kInvalid, kOperation, "target", "target overlaps source");
  EXPECT_REFUSED(gtr_copy(f.stream, bytes, bytes + 32, INT64_MAX), kInvalid, kOperation, "target", "overlaps");
  EXPECT_REFUSED(gtr_copy(f.stream, bytes, reinterpret_cast<void*>(UINTPTR_MAX - 3), 8), kInvalid, kOperation, "bytes",
                 "beyond the end");
  EXPECT_OK(gtr_copy(f.stream, nullptr, nullptr, 0));
  EXPECT_OK(gtr_copy(f.stream, bytes, bytes + 8, 8));
  EXPECT(bytes[0] == 8 && bytes[7] == 15 && bytes[8] == 8);
  EXPECT_OK(gtr_stream_cancel(f.stream));
  EXPECT_REFUSED(gtr_copy(f.stream, bytes, bytes + 32, 8), GTR_ERROR_CANCELLED, kOperation, "stream", "cancelled");
  EXPECT(bytes[0] == 8);
  EXPECT_OK(gtr_stream_reset(f.stream));
  EXPECT_OK(gtr_copy(f.stream, bytes, bytes + 32, 8));
  EXPECT(bytes[0] == 32);
}

}  // namespace
}  // namespace gtr::test

int main() {
  using namespace gtr::test;
  unsetenv("GTR_CPU_TIER");
  unsetenv("GTR_THREADS");
  setenv("GTR_CUDA_LIBRARY", "/nowhere", 1);
  versions_and_names();
  counting();
  opening();
  tiers();
  threads_from_the_environment();
  streams();
  memory();
  copying();
  return result();
}
