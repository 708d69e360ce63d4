// The CPU backend's entry into the backend table: devices with a tier and a pool of threads, and the checks of values
// that the ABI cannot make for every backend.
#include "backend.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "container_limits.h"
#include "content_checks.h"
#include "errors.h"
#include "operations.h"
#include "pool.h"
#include "tier_detection.h"

namespace gtr {

struct BackendDevice {
  DeviceMemory* memory;
  cpu::Tier tier;
  std::unique_ptr<cpu::Pool> pool;
};

struct BackendStream {
  DeviceMemory* memory;
  cpu::Context context;
};

namespace cpu {

// The table's entries have the operations' names; `cpu::name` is the operation.
namespace {

// ---- devices

gtr_status device_count(int32_t* count, char* detail, int64_t detail_size) noexcept {
  *count = 1;
  char name[64];
  processor_name(name, sizeof name);
  std::snprintf(detail, static_cast<size_t>(detail_size), "the CPU backend is built in and runs on %s", name);
  return GTR_OK;
}

// Sets *tier and writes why.
gtr_status choose_tier(int32_t wanted, Tier* tier, char* reason, size_t size) noexcept {
  const char* forced_by = nullptr;
  if (wanted != GTR_TIER_AUTO) {
    *tier = static_cast<Tier>(wanted);
    forced_by = "options.tier";
  } else if (const char* name = std::getenv("GTR_CPU_TIER"); name != nullptr && name[0] != '\0') {
    if (!tier_by_name(name, tier)) {
      return fail(GTR_ERROR_INVALID_ARGUMENT, "gtr_device_open", "GTR_CPU_TIER",
                  "the environment variable GTR_CPU_TIER is \"%.60s\"; allowed are scalar, avx2, avx512, avx512bf16, "
                  "amxbf16",
                  name);
    }
    forced_by = "GTR_CPU_TIER";
  }
  if (forced_by == nullptr) {
    *tier = best_tier();
    std::snprintf(reason, size, "tier %s is the best that processor, operating system and build have",
                  tier_name(*tier));
    return GTR_OK;
  }
  if (!tier_available(*tier)) {
    return fail(GTR_ERROR_UNSUPPORTED, "gtr_device_open", forced_by,
                "%s is %s, which this machine or build cannot run; allowed are tiers up to %s", forced_by,
                tier_name(*tier), tier_name(best_tier()));
  }
  std::snprintf(reason, size, "tier %s from %s", tier_name(*tier), forced_by);
  return GTR_OK;
}

// Sets *threads and writes why.
gtr_status choose_threads(int32_t wanted, int32_t* threads, char* reason, size_t size) noexcept {
  if (wanted != 0) {
    *threads = wanted;
    std::snprintf(reason, size, "threads from options.threads");
    return GTR_OK;
  }
  if (const char* text = std::getenv("GTR_THREADS"); text != nullptr && text[0] != '\0') {
    char* end = nullptr;
    errno = 0;
    const long value = std::strtol(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < 1 || value > Pool::kMaxThreads) {
      return fail(GTR_ERROR_INVALID_ARGUMENT, "gtr_device_open", "GTR_THREADS",
                  "the environment variable GTR_THREADS is \"%.60s\"; allowed are 1 to %d", text, Pool::kMaxThreads);
    }
    *threads = static_cast<int32_t>(value);
    std::snprintf(reason, size, "threads from GTR_THREADS");
    return GTR_OK;
  }
  const CpuAllowance allowance = cpu_allowance("");
  *threads = std::min(allowance.threads(), Pool::kMaxThreads);
  if (allowance.quota_milli == 0) {
    std::snprintf(reason, size, "threads from an affinity of %d and no CPU quota", allowance.affinity);
  } else {
    std::snprintf(reason, size, "threads from an affinity of %d and a CPU quota of %.2f", allowance.affinity,
                  static_cast<double>(allowance.quota_milli) / 1000);
  }
  return GTR_OK;
}

gtr_status device_open(const gtr_device_options& options, DeviceMemory& memory, BackendDevice** device,
                       gtr_device_info* info) noexcept {
  if (options.index != 0) {
    return fail(GTR_ERROR_NO_DEVICE, "gtr_device_open", "options.index",
                "options.index is %d; allowed is 0, the only device of the CPU backend", options.index);
  }
  Tier tier;
  int32_t threads = 0;
  char tier_reason[96], threads_reason[96];
  gtr_status status = choose_tier(options.tier, &tier, tier_reason, sizeof tier_reason);
  if (status == GTR_OK) status = choose_threads(options.threads, &threads, threads_reason, sizeof threads_reason);
  if (status != GTR_OK) return status;

  void* place = memory.allocate(sizeof(BackendDevice));
  std::unique_ptr<Pool> pool = place == nullptr ? nullptr : Pool::create(threads);
  if (pool == nullptr) {
    memory.release(place, sizeof(BackendDevice));
    return fail(GTR_ERROR_OUT_OF_MEMORY, "gtr_device_open", "options.threads",
                "no memory for a pool of %d threads, or they cannot be started", threads);
  }
  memory.count(Pool::bytes());
  *device = new (place) BackendDevice{&memory, tier, std::move(pool)};

  info->backend = GTR_BACKEND_CPU;
  info->index = 0;
  info->threads = threads;
  info->tier = static_cast<int32_t>(tier);
  info->memory_total = memory_allowance("");
  processor_name(info->name, sizeof info->name);
  const size_t length = std::strlen(info->reason);
  std::snprintf(info->reason + length, sizeof info->reason - length, "%s, %s", tier_reason, threads_reason);
  return GTR_OK;
}

void device_close(BackendDevice* device) noexcept {
  DeviceMemory& memory = *device->memory;
  device->~BackendDevice();
  memory.count(-Pool::bytes());
  memory.release(device, sizeof(BackendDevice));
}

// ---- streams

gtr_status stream_create(BackendDevice* device, void* external, const std::atomic<bool>* cancelled,
                         BackendStream** stream) noexcept {
  if (external != nullptr) {
    return fail(GTR_ERROR_INVALID_ARGUMENT, "gtr_stream_create", "external",
                "external is %p; allowed on the CPU, which has no streams of other libraries, is null", external);
  }
  void* place = device->memory->allocate(sizeof(BackendStream));
  if (place == nullptr) {
    return fail(GTR_ERROR_OUT_OF_MEMORY, "gtr_stream_create", "", "no memory for the stream's %lld bytes",
                static_cast<long long>(sizeof(BackendStream)));
  }
  *stream = new (place) BackendStream{device->memory, {device->tier, device->pool.get(), cancelled}};
  return GTR_OK;
}

void stream_destroy(BackendStream* stream) noexcept { stream->memory->release(stream, sizeof(BackendStream)); }

// ---- memory

gtr_status allocate(BackendDevice* device, gtr_memory_space, int64_t bytes, void** data) noexcept {
  *data = device->memory->allocate(bytes);
  return *data == nullptr ? GTR_ERROR_OUT_OF_MEMORY : GTR_OK;
}

void release(BackendDevice* device, gtr_memory_space, void* data, int64_t bytes) noexcept {
  device->memory->release(data, bytes);
}

gtr_status copy(BackendStream*, void* target, const void* source, int64_t bytes) noexcept {
  std::memcpy(target, source, static_cast<size_t>(bytes));
  return GTR_OK;
}

// ---- linear

Linear* own(BackendLinear* linear) noexcept { return reinterpret_cast<Linear*>(linear); }
const Linear& own(const BackendLinear* linear) noexcept { return *reinterpret_cast<const Linear*>(linear); }

gtr_status linear_create(BackendDevice* device, int64_t outputs, int64_t inputs, gtr_precision precision,
                         BackendLinear** linear) noexcept {
  Linear* created = nullptr;
  const gtr_status status = cpu::linear_create(*device->memory, device->tier, outputs, inputs, precision, &created);
  *linear = reinterpret_cast<BackendLinear*>(created);
  return status;
}

gtr_status linear_set(BackendDevice*, BackendLinear* linear, int64_t first_row, const gtr_tensor* weight,
                      const gtr_tensor* bias) noexcept {
  cpu::linear_set(*own(linear), first_row, weight, bias);
  return GTR_OK;
}

void linear_destroy(BackendDevice*, BackendLinear* linear) noexcept { cpu::linear_destroy(own(linear)); }

int64_t linear_scratch_size(const BackendLinear* linear, int64_t rows) noexcept {
  return cpu::linear_scratch_size(own(linear), rows);
}

gtr_status linear(BackendStream* stream, const BackendLinear* weights, gtr_activation activation, const gtr_tensor& x,
                  const gtr_tensor* gate, const gtr_tensor* residual, const gtr_tensor& y, void* scratch) noexcept {
  return cpu::linear(stream->context, own(weights), activation, x, gate, residual, y, scratch);
}

// ---- layer norm

gtr_status layer_norm(BackendStream* stream, const gtr_tensor& x, const gtr_tensor* weight, const gtr_tensor* bias,
                      const gtr_tensor* scale, const gtr_tensor* shift, double epsilon, const gtr_tensor& y) noexcept {
  return cpu::layer_norm(stream->context, x, weight, bias, scale, shift, epsilon, y);
}

// ---- attention

int64_t attention_scratch_size(const BackendDevice* device, gtr_precision precision, int64_t batch,
                               int64_t query_length, int64_t key_length, int64_t heads, int64_t head_dim) noexcept {
  return cpu::attention_scratch_size(device->tier, device->pool->threads(), precision, batch, query_length, key_length,
                                     heads, head_dim);
}

gtr_status attention(BackendStream* stream, gtr_precision precision, double scale, const gtr_tensor& q,
                     const gtr_tensor& k, const gtr_tensor& v, const gtr_tensor* query_lengths,
                     const gtr_tensor* key_lengths, const gtr_tensor* mask, const gtr_tensor& out,
                     void* scratch) noexcept {
  constexpr const char* kOperation = "gtr_attention";
  if (query_lengths != nullptr &&
      !check_values(kOperation, "query_lengths", *query_lengths, 0, q.shape[1], "the query length")) {
    return GTR_ERROR_INVALID_ARGUMENT;
  }
  if (key_lengths != nullptr &&
      !check_values(kOperation, "key_lengths", *key_lengths, 0, k.shape[1], "the key length")) {
    return GTR_ERROR_INVALID_ARGUMENT;
  }
  return cpu::attention(stream->context, precision, scale, q, k, v, query_lengths, key_lengths, mask, out, scratch);
}

// ---- token bookkeeping

gtr_status embed(BackendStream* stream, const gtr_tensor& first, const gtr_tensor* second, const gtr_tensor& index,
                 const gtr_tensor* position, const gtr_tensor* position_index, const gtr_tensor& y) noexcept {
  const int64_t lowest = second == nullptr ? 0 : -second->shape[0];
  if (!check_values("gtr_embed", "index", index, lowest, first.shape[0] - 1, "rows of second and first") ||
      (position != nullptr &&
       !check_values("gtr_embed", "position_index", *position_index, 0, position->shape[0] - 1, "rows of position"))) {
    return GTR_ERROR_INVALID_ARGUMENT;
  }
  return cpu::embed(stream->context, first, second, index, position, position_index, y);
}

gtr_status gather(BackendStream* stream, const gtr_tensor& x, const gtr_tensor& index, const gtr_tensor& y) noexcept {
  if (!check_values("gtr_gather", "index", index, 0, x.shape[0] - 1, "rows of x")) return GTR_ERROR_INVALID_ARGUMENT;
  return cpu::gather(stream->context, x, index, y);
}

gtr_status scatter(BackendStream* stream, const gtr_tensor& x, const gtr_tensor& index, const gtr_tensor& y) noexcept {
  if (!check_values("gtr_scatter", "index", index, 0, y.shape[0] - 1, "rows of y")) return GTR_ERROR_INVALID_ARGUMENT;
  return cpu::scatter(stream->context, x, index, y);
}

// ---- noise

gtr_status noise(BackendStream* stream, const gtr_tensor& seed, const gtr_tensor& image, const gtr_tensor& cell,
                 const gtr_tensor& draw, const gtr_tensor& y) noexcept {
  return cpu::noise(stream->context, seed, image, cell, draw, y);
}

// ---- frequency energy and top fraction

int64_t frequency_energy_scratch_size(const BackendDevice* device, int64_t rows, int64_t dim) noexcept {
  return cpu::frequency_energy_scratch_size(device->tier, device->pool->threads(), rows, dim);
}

gtr_status frequency_energy(BackendStream* stream, const gtr_tensor& z, const gtr_tensor& score,
                            void* scratch) noexcept {
  return cpu::frequency_energy(stream->context, z, score, scratch);
}

int64_t top_fraction_scratch_size(const BackendDevice*, int64_t rows) noexcept {
  return cpu::top_fraction_scratch_size(rows);
}

gtr_status top_fraction(BackendStream* stream, const gtr_tensor& score, const gtr_tensor& cell,
                        const gtr_segment* segments, int64_t segment_count, const gtr_tensor& place,
                        void* scratch) noexcept {
  return cpu::top_fraction(stream->context, score, cell, segments, segment_count, place, scratch);
}

// ---- diffusion head

Head* own(BackendHead* head) noexcept { return reinterpret_cast<Head*>(head); }
const Head& own(const BackendHead* head) noexcept { return *reinterpret_cast<const Head*>(head); }

gtr_status head_create(BackendDevice* device, const gtr_head_shape& shape, gtr_precision precision,
                       BackendHead** head) noexcept {
  Head* created = nullptr;
  const gtr_status status = cpu::head_create(*device->memory, device->tier, shape, precision, &created);
  *head = reinterpret_cast<BackendHead*>(created);
  return status;
}

gtr_status head_set(BackendDevice*, BackendHead* head, const char* name, int64_t first_row,
                    const gtr_tensor& value) noexcept {
  cpu::head_set(*own(head), name, first_row, value);
  return GTR_OK;
}

const char* head_missing(const BackendHead* head) noexcept { return cpu::head_missing(own(head)); }

void head_destroy(BackendDevice*, BackendHead* head) noexcept { cpu::head_destroy(own(head)); }

int64_t head_forward_scratch_size(const BackendHead* head, int64_t rows) noexcept {
  return cpu::head_forward_scratch_size(own(head), rows);
}

gtr_status head_forward(BackendStream* stream, const BackendHead* head, const gtr_tensor& x, const gtr_tensor& t,
                        const gtr_tensor& z, const gtr_tensor& out, void* scratch) noexcept {
  if (!check_values("gtr_head_forward", "t", t, 0, 999, "")) return GTR_ERROR_INVALID_ARGUMENT;
  return cpu::head_forward(stream->context, own(head), x, t, z, out, scratch);
}

// The checks use the scratch before the operation does.
int64_t head_chain_scratch_size(const BackendHead* head, const gtr_chain& chain) noexcept {
  return std::max(cpu::head_chain_scratch_size(own(head), chain), chain_check_scratch_size(chain));
}

gtr_status head_chain(BackendStream* stream, const BackendHead* head, const gtr_chain& chain, const gtr_tensor& x,
                      void* scratch) noexcept {
  if (!check_chain_values("gtr_head_chain", chain, x.shape[0], scratch)) return GTR_ERROR_INVALID_ARGUMENT;
  return cpu::head_chain(stream->context, own(head), chain, x, scratch);
}

gtr_status head_step(BackendStream* stream, const BackendHead* head, const gtr_chain& chain, int32_t index,
                     const gtr_tensor& x, void* scratch) noexcept {
  if (!check_chain_values("gtr_head_step", chain, x.shape[0], scratch)) return GTR_ERROR_INVALID_ARGUMENT;
  return cpu::head_step(stream->context, own(head), chain, index, x, scratch);
}

}  // namespace

extern const Backend backend;
const Backend backend = {
    GTR_BACKEND_CPU,
    "cpu",
    device_count,
    device_open,
    device_close,
    stream_create,
    stream_destroy,
    nullptr,  // stream_synchronize: every call is done when it returns
    nullptr,  // stream_cancel: operations look at the flag itself
    allocate,
    release,
    copy,
    nullptr,  // free_memory: what a container may still have is a guess
    linear_create,
    linear_set,
    linear_destroy,
    linear_scratch_size,
    linear,
    layer_norm,
    attention_scratch_size,
    attention,
    embed,
    gather,
    scatter,
    noise,
    frequency_energy_scratch_size,
    frequency_energy,
    top_fraction_scratch_size,
    top_fraction,
    head_create,
    head_set,
    head_missing,
    head_destroy,
    head_forward_scratch_size,
    head_forward,
    head_chain_scratch_size,
    head_chain,
    head_step,
    nullptr,  // head_chain_prepare: a chain is a loop over its steps
};

}  // namespace cpu
}  // namespace gtr
