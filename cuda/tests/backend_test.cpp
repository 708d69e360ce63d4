// What the CUDA backend does around its kernels, on the emulator: devices and what is said where there is none, memory,
// streams, failures that show later, cancellation. The emulator reads its settings, and libgtr looks for its backend,
// once in the life of a process, so every case has a process of its own.
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "expect.h"
#include "gtr/gtr.h"

namespace gtr::test {
namespace {

using Settings = std::initializer_list<std::pair<const char*, const char*>>;

// Runs body in a child with these environment variables; its failures become one of this process.
template <typename Body>
void with(const char* what, Settings settings, Body&& body) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    failures = expectations = 0;
    setenv("GTR_CUDA_LIBRARY", GTR_TEST_CUDA_EMULATOR, 1);
    for (const auto& setting : settings) setenv(setting.first, setting.second, 1);
    body();
    std::fflush(stdout);
    _exit(failures == 0 && expectations > 0 ? 0 : 1);
  }
  int status = -1;
  const bool good = child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (!EXPECT(good)) std::printf("  in the case \"%s\", whose process ended with status 0x%x\n", what, status);
}

bool last_error_has(std::initializer_list<const char*> parts) {
  for (const char* part : parts) {
    if (std::strstr(gtr_last_error(), part) == nullptr) {
      std::printf("  \"%s\" is not in: %s\n", part, gtr_last_error());
      return false;
    }
  }
  return true;
}

// A device of the emulator and a stream.
struct Opened {
  explicit Opened(void* external = nullptr) {
    gtr_device_options options = {GTR_BACKEND_CUDA, 0, 0, 0};
    EXPECT_OK(gtr_device_open(&options, &device));
    EXPECT_OK(gtr_stream_create(device, external, &stream));
  }
  ~Opened() {
    EXPECT_OK(gtr_stream_destroy(stream));
    EXPECT_OK(gtr_device_close(device));
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  gtr_memory_stats stats() const {
    gtr_memory_stats now = {};
    EXPECT_OK(gtr_memory_get_stats(device, &now));
    return now;
  }

  gtr_device* device = nullptr;
  gtr_stream* stream = nullptr;
};

// Device memory with a view of it.
struct Array {
  Array(const Opened& opened, gtr_dtype dtype, std::initializer_list<int64_t> shape, int64_t element = 4)
      : device(opened.device) {
    view.dtype = dtype;
    view.size = element;
    for (const int64_t extent : shape) {
      view.shape[view.rank++] = extent;
      view.size *= extent;
    }
    int64_t stride = 1;
    for (int32_t i = view.rank - 1; i >= 0; --i) {
      view.stride[i] = stride;
      stride *= view.shape[i];
    }
    EXPECT_OK(gtr_allocate(device, GTR_MEMORY_DEVICE, view.size, &view.data));
  }
  ~Array() { EXPECT_OK(gtr_free(device, view.data)); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  template <typename T>
  void set(const Opened& opened, const std::vector<T>& values) {
    EXPECT_OK(gtr_copy(opened.stream, view.data, values.data(), view.size));
    EXPECT_OK(gtr_stream_synchronize(opened.stream));
  }
  std::vector<float> get(const Opened& opened) const {
    std::vector<float> values(static_cast<size_t>(view.size) / sizeof(float), NAN);
    EXPECT_OK(gtr_copy(opened.stream, values.data(), view.data, view.size));
    EXPECT_OK(gtr_stream_synchronize(opened.stream));
    return values;
  }

  gtr_device* device;
  gtr_tensor view = {};
};

// Failures on request: functions of the emulator.
void fail_launch(int64_t nth) {
  void* library = dlopen(GTR_TEST_CUDA_EMULATOR, RTLD_LAZY | RTLD_NOLOAD);
  void* symbol = library == nullptr ? nullptr : dlsym(library, "gtr_emu_fail_launch");
  if (!EXPECT(symbol != nullptr)) return;
  void (*function)(int64_t) = nullptr;
  std::memcpy(&function, &symbol, sizeof function);
  function(nth);
}

// ---- cases

void absent(const char* sentence) {
  int32_t count = -1;
  char detail[512] = "";
  EXPECT_OK(gtr_device_count(GTR_BACKEND_CUDA, &count, detail, sizeof detail));
  EXPECT(count == 0);
  if (!EXPECT(std::strcmp(detail, sentence) == 0)) std::printf("  it says: %s\n", detail);
  gtr_device_options options = {GTR_BACKEND_CUDA, 0, 0, 0};
  gtr_device* device = nullptr;
  EXPECT_REFUSED(gtr_device_open(&options, &device), GTR_ERROR_NO_DEVICE, "gtr_device_open", "options.backend",
                 sentence);
  options.backend = GTR_BACKEND_AUTO;
  EXPECT_OK(gtr_device_open(&options, &device));
  gtr_device_info info = {};
  EXPECT_OK(gtr_device_get_info(device, &info));
  EXPECT(info.backend == GTR_BACKEND_CPU);
  EXPECT(std::strncmp(info.reason, (std::string(sentence) + "; so auto chose cpu: tier ").c_str(),
                      std::strlen(sentence) + 26) == 0);
  EXPECT_OK(gtr_device_close(device));
}

void opening() {
  int32_t count = -1;
  char detail[512] = "";
  EXPECT_OK(gtr_device_count(GTR_BACKEND_CUDA, &count, detail, sizeof detail));
  EXPECT(count == 1 && std::strcmp(detail, "1 cuda-emu device: gtr4j emulator (9.0)") == 0);

  gtr_device* device = nullptr;
  const auto open = [&](gtr_device_options options) { return gtr_device_open(&options, &device); };
  constexpr const char* kOpen = "gtr_device_open";
  EXPECT_REFUSED(open({GTR_BACKEND_CUDA, 1, 0, 0}), GTR_ERROR_NO_DEVICE, kOpen, "options.index",
                 "options.index is 1; allowed are 0 to 0: 1 cuda-emu device");
  EXPECT_REFUSED(open({GTR_BACKEND_CUDA, 0, 4, 0}), GTR_ERROR_INVALID_ARGUMENT, kOpen, "options.threads",
                 "options.threads is 4, which is for the CPU");
  EXPECT_REFUSED(open({GTR_BACKEND_CUDA, 0, 0, GTR_TIER_AVX2}), GTR_ERROR_INVALID_ARGUMENT, kOpen, "options.tier",
                 "options.tier is 2, which is for the CPU");
  EXPECT(device == nullptr);

  // Auto prefers it, and keeps the options for the CPU.
  EXPECT_OK(open({GTR_BACKEND_AUTO, 0, 2, GTR_TIER_SCALAR}));
  gtr_device_info info = {};
  EXPECT_OK(gtr_device_get_info(device, &info));
  EXPECT(info.backend == GTR_BACKEND_CUDA && info.index == 0 && info.threads == 0 && info.tier == 0);
  EXPECT(info.memory_total == int64_t{16} << 30 && std::strcmp(info.name, "gtr4j emulator") == 0);
  EXPECT(std::strncmp(info.reason, "auto chose cuda-emu: compute capability 9.0, 4 multiprocessors", 62) == 0);
  EXPECT_OK(gtr_device_close(device));
  EXPECT_OK(open({GTR_BACKEND_CUDA, 0, 0, 0}));
  EXPECT_OK(gtr_device_get_info(device, &info));
  EXPECT(std::strncmp(info.reason, "cuda-emu was asked for: compute", 31) == 0);
  EXPECT_OK(gtr_device_close(device));

  // A card that is there and cannot be opened is no reason for auto to give up.
  for (const int32_t backend : {GTR_BACKEND_CUDA, GTR_BACKEND_AUTO}) {
    gtr_test_fail_allocation(2);  // the first one is the handle's
    const gtr_status status = open({backend, 0, 0, 0});
    gtr_test_fail_allocation(0);
    EXPECT_STATUS(status, backend == GTR_BACKEND_CUDA ? GTR_ERROR_OUT_OF_MEMORY : GTR_OK);
  }
  EXPECT_OK(gtr_device_get_info(device, &info));
  EXPECT(info.backend == GTR_BACKEND_CPU && std::strstr(info.reason, "no memory for") != nullptr &&
         std::strstr(info.reason, "; so auto chose cpu: ") != nullptr);
  EXPECT_OK(gtr_device_close(device));
}

void memory() {
  const Opened o;
  const gtr_memory_stats before = o.stats();
  void* on_device = nullptr;
  void* pinned = nullptr;
  EXPECT_OK(gtr_allocate(o.device, GTR_MEMORY_DEVICE, 3000, &on_device));
  EXPECT_OK(gtr_allocate(o.device, GTR_MEMORY_HOST, 500, &pinned));
  EXPECT(reinterpret_cast<uintptr_t>(on_device) % GTR_ALIGNMENT == 0);
  EXPECT(reinterpret_cast<uintptr_t>(pinned) % GTR_ALIGNMENT == 0);
  gtr_memory_stats now = o.stats();
  EXPECT(now.allocations == 2 && now.live_bytes >= before.live_bytes + 3500 && now.peak_bytes >= now.live_bytes);

  // Every direction; the host touches pinned memory itself.
  std::vector<char> sent(500), got(500);
  for (size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 7);
  auto* bytes = static_cast<char*>(on_device);
  EXPECT_OK(gtr_copy(o.stream, on_device, sent.data(), 500));
  EXPECT_OK(gtr_copy(o.stream, bytes + 1000, on_device, 500));
  EXPECT_OK(gtr_copy(o.stream, pinned, bytes + 1000, 500));
  EXPECT_OK(gtr_stream_synchronize(o.stream));
  EXPECT(std::memcmp(pinned, sent.data(), 500) == 0);
  std::memset(pinned, 5, 500);
  EXPECT_OK(gtr_copy(o.stream, bytes + 2001, pinned, 499));
  EXPECT_OK(gtr_copy(o.stream, got.data(), bytes + 2001, 499));
  EXPECT_OK(gtr_stream_synchronize(o.stream));
  EXPECT(got[0] == 5 && got[498] == 5 && got[499] == 0);

  // What was asked for, what the device holds, and what is free.
  void* too_much = &now;
  EXPECT_REFUSED(gtr_allocate(o.device, GTR_MEMORY_DEVICE, 3 << 20, &too_much), GTR_ERROR_OUT_OF_MEMORY, "gtr_allocate",
                 "bytes", "no memory for 3145728 bytes; the device holds ");
  EXPECT(too_much == nullptr && last_error_has({" bytes, and ", " of its 2097152 are free"}));
  gtr_linear_weights* linear = nullptr;
  EXPECT_REFUSED(gtr_linear_create(o.device, 4096, 4096, GTR_PRECISION_F32, &linear), GTR_ERROR_OUT_OF_MEMORY,
                 "gtr_linear_create", "", "no memory for packed weights [4096, 4096]; the device holds ");
  EXPECT(linear == nullptr && last_error_has({" of its 2097152 are free"}));
  const gtr_head_shape shape = {16, 1024, 1024, 4};
  gtr_head* head = nullptr;
  EXPECT_REFUSED(gtr_head_create(o.device, &shape, GTR_PRECISION_F32, &head), GTR_ERROR_OUT_OF_MEMORY,
                 "gtr_head_create", "", "no memory for a head 1024 wide with 4 blocks; the device holds ");
  EXPECT(head == nullptr && last_error_has({" of its 2097152 are free"}));

  EXPECT_OK(gtr_free(o.device, on_device));
  EXPECT_OK(gtr_free(o.device, pinned));
  now = o.stats();
  EXPECT(now.allocations == 0 && now.live_bytes == before.live_bytes && now.handles == 1);
}

// Every allocation that opening a device and a stream makes fails in turn, and leaves nothing.
void failed_allocations() {
  int64_t nth = 1;
  for (;; ++nth) {
    gtr_test_fail_allocation(nth);
    gtr_device_options options = {GTR_BACKEND_CUDA, 0, 0, 0};
    gtr_device* device = nullptr;
    gtr_stream* stream = nullptr;
    gtr_status status = gtr_device_open(&options, &device);
    if (status == GTR_OK) {
      gtr_memory_stats before = {};
      EXPECT_OK(gtr_memory_get_stats(device, &before));
      status = gtr_stream_create(device, nullptr, &stream);
      if (status != GTR_OK) {
        EXPECT(stream == nullptr);
        gtr_memory_stats after = {};
        EXPECT_OK(gtr_memory_get_stats(device, &after));
        EXPECT(after.live_bytes == before.live_bytes && after.handles == 0);
      }
      EXPECT_OK(gtr_stream_destroy(stream));
      EXPECT_OK(gtr_device_close(device));
    } else {
      EXPECT(device == nullptr);
    }
    if (status == GTR_OK) break;
    EXPECT_STATUS(status, GTR_ERROR_OUT_OF_MEMORY);
    EXPECT(std::strstr(gtr_last_error(), "no memory") != nullptr);
    if (nth > 100) break;
  }
  gtr_test_fail_allocation(0);
  EXPECT(nth > 5 && nth < 100);
}

gtr_status draw_noise(const Opened& o, const Array& seed, const Array& place, const Array& y) {
  return gtr_noise(o.stream, &seed.view, &place.view, &place.view, &place.view, &y.view);
}

// A kernel fails: nobody notices before the stream is checked; then the calls since the last check are named, and the
// device is lost for good, but all that is left can be given back.
void lost_device() {
  Opened o;
  Array x(o, GTR_F32, {2, 4}), y(o, GTR_F32, {2, 4}), index(o, GTR_I32, {2});
  x.set(o, std::vector<float>(8, 1.0f));
  index.set(o, std::vector<int32_t>{0, 1});
  EXPECT_OK(gtr_gather(o.stream, &x.view, &index.view, &y.view));
  EXPECT_OK(gtr_stream_synchronize(o.stream));  // so this gather is above suspicion

  fail_launch(2);
  EXPECT_OK(gtr_layer_norm(o.stream, &x.view, nullptr, nullptr, nullptr, nullptr, 1e-6, &y.view));
  EXPECT_OK(gtr_layer_norm(o.stream, &x.view, nullptr, nullptr, nullptr, nullptr, 1e-6, &y.view));
  EXPECT_OK(gtr_scatter(o.stream, &x.view, &index.view, &y.view));
  EXPECT_STATUS(gtr_stream_synchronize(o.stream), GTR_ERROR_DEVICE_LOST);
  EXPECT(last_error_has({"gtr_stream_synchronize: the device is lost: cudaError",
                         "in one of the calls since the last check: gtr_layer_norm x2, gtr_scatter; close it"}));
  EXPECT(std::strstr(gtr_last_error(), "gtr_gather") == nullptr);

  // From now on everything that needs the device says so, in every stream.
  const auto expect_lost = [](gtr_status status, const char* operation) {
    EXPECT_REFUSED(status, GTR_ERROR_DEVICE_LOST, operation, "", "the device is lost since cudaError");
  };
  float host[8];
  void* data = nullptr;
  gtr_stream* stream = nullptr;
  gtr_linear_weights* linear = nullptr;
  expect_lost(gtr_stream_synchronize(o.stream), "gtr_stream_synchronize");
  expect_lost(gtr_gather(o.stream, &x.view, &index.view, &y.view), "gtr_gather");
  expect_lost(gtr_copy(o.stream, host, x.view.data, 8), "gtr_copy");
  expect_lost(gtr_allocate(o.device, GTR_MEMORY_DEVICE, 64, &data), "gtr_allocate");
  expect_lost(gtr_stream_create(o.device, nullptr, &stream), "gtr_stream_create");
  expect_lost(gtr_linear_create(o.device, 4, 4, GTR_PRECISION_F32, &linear), "gtr_linear_create");
  expect_lost(gtr_stream_cancel(o.stream), "gtr_stream_cancel");
  expect_lost(gtr_stream_reset(o.stream), "gtr_stream_synchronize");
  EXPECT(data == nullptr && stream == nullptr && linear == nullptr);
}

// The log of calls has an end: of many the last are named.
void many_calls() {
  Opened o;
  Array x(o, GTR_F32, {2, 4}), y(o, GTR_F32, {2, 4}), index(o, GTR_I32, {2});
  x.set(o, std::vector<float>(8, 1.0f));
  index.set(o, std::vector<int32_t>{0, 1});
  for (int i = 0; i < 20; ++i) {
    EXPECT_OK(gtr_gather(o.stream, &x.view, &index.view, &y.view));
    EXPECT_OK(gtr_scatter(o.stream, &x.view, &index.view, &y.view));
  }
  EXPECT_OK(gtr_gather(o.stream, &x.view, &index.view, &y.view));
  fail_launch(1);
  EXPECT_STATUS(gtr_stream_synchronize(o.stream), GTR_ERROR_DEVICE_LOST);
  EXPECT(last_error_has({"since the last check: 9 earlier ones, gtr_scatter, gtr_gather, ", ", gtr_gather; close it"}));
}

// With GTR_SYNC the call that failed is the one that says so.
void checked_after_every_call() {
  Opened o;
  Array x(o, GTR_F32, {2, 4}), y(o, GTR_F32, {2, 4}), index(o, GTR_I32, {2});
  x.set(o, std::vector<float>(8, 1.0f));
  index.set(o, std::vector<int32_t>{0, 7});
  EXPECT_REFUSED(gtr_gather(o.stream, &x.view, &index.view, &y.view), GTR_ERROR_INVALID_ARGUMENT, "gtr_gather", "index",
                 "index[1] is 7; allowed are 0 to 1 (rows of x)");
  EXPECT_OK(gtr_stream_synchronize(o.stream));
  fail_launch(1);
  EXPECT_STATUS(gtr_layer_norm(o.stream, &x.view, nullptr, nullptr, nullptr, nullptr, 1e-6, &y.view),
                GTR_ERROR_DEVICE_LOST);
  EXPECT(last_error_has({"gtr_layer_norm: the device is lost: ", "since the last check: gtr_layer_norm; close it"}));
}

// What kernels find wrong in arrays comes out at the next check, once, in the words of the CPU backend.
void findings() {
  Opened o;
  Array x(o, GTR_F32, {3, 4}), y(o, GTR_F32, {2, 4}), index(o, GTR_I32, {2});
  const std::vector<float> ones(12, 1.0f);
  x.set(o, ones);
  const auto found = [&](std::vector<int32_t> values, const char* sentence) {
    index.set(o, values);
    EXPECT_OK(gtr_gather(o.stream, &x.view, &index.view, &y.view));
    EXPECT_REFUSED(gtr_stream_synchronize(o.stream), GTR_ERROR_INVALID_ARGUMENT, "gtr_gather", "index", sentence);
    EXPECT_OK(gtr_stream_synchronize(o.stream));
  };
  found({0, 3}, "index[1] is 3; allowed are 0 to 2 (rows of x)");
  found({-1, 2}, "index[0] is -1; allowed are 0 to 2 (rows of x)");
  index.set(o, std::vector<int32_t>{2, 0});
  EXPECT_OK(gtr_gather(o.stream, &x.view, &index.view, &y.view));
  EXPECT_OK(gtr_stream_synchronize(o.stream));
  EXPECT(y.get(o)[0] == 1.0f);

  // Streams keep theirs apart.
  gtr_stream* other = nullptr;
  EXPECT_OK(gtr_stream_create(o.device, nullptr, &other));
  index.set(o, std::vector<int32_t>{5, 0});
  EXPECT_OK(gtr_gather(other, &x.view, &index.view, &y.view));
  EXPECT_OK(gtr_stream_synchronize(o.stream));
  EXPECT_STATUS(gtr_stream_synchronize(other), GTR_ERROR_INVALID_ARGUMENT);
  EXPECT_OK(gtr_stream_destroy(other));
}

void cancelling() {
  Opened o;
  Array seed(o, GTR_U64, {4}, 8), place(o, GTR_U32, {4}), y(o, GTR_F32, {4, 8});
  seed.set(o, std::vector<uint64_t>{1, 2, 3, 4});
  place.set(o, std::vector<uint32_t>{5, 6, 7, 8});
  EXPECT_OK(draw_noise(o, seed, place, y));
  const std::vector<float> expected = y.get(o);
  gtr_stream* other = nullptr;
  EXPECT_OK(gtr_stream_create(o.device, nullptr, &other));
  for (int round = 0; round < 3; ++round) {
    // Enqueued before, cancelled by somebody else: the check says so, as often as one asks.
    EXPECT_OK(draw_noise(o, seed, place, y));
    std::thread([&] { EXPECT_OK(gtr_stream_cancel(o.stream)); }).join();
    for (int i = 0; i < 2; ++i) {
      EXPECT_REFUSED(gtr_stream_synchronize(o.stream), GTR_ERROR_CANCELLED, "gtr_stream_synchronize", "stream",
                     "gtr_stream_reset makes it usable again");
      EXPECT_STATUS(draw_noise(o, seed, place, y), GTR_ERROR_CANCELLED);
    }
    EXPECT_OK(gtr_stream_synchronize(other));
    EXPECT_OK(gtr_stream_reset(o.stream));
    EXPECT_OK(gtr_stream_synchronize(o.stream));
    EXPECT_OK(draw_noise(o, seed, place, y));
    const std::vector<float> got = y.get(o);
    EXPECT(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)) == 0);
  }
  EXPECT_OK(gtr_stream_destroy(other));
}

// A stream that another library owns: CUDA's legacy default stream has a handle that can be named.
void external_stream() {
  void* const legacy = reinterpret_cast<void*>(1);
  Opened o(legacy);
  Array x(o, GTR_F32, {2, 2}), y(o, GTR_F32, {2, 2}), index(o, GTR_I32, {2});
  x.set(o, std::vector<float>{1, 2, 3, 4});
  index.set(o, std::vector<int32_t>{1, 0});
  EXPECT_OK(gtr_gather(o.stream, &x.view, &index.view, &y.view));
  const std::vector<float> expected = {3, 4, 1, 2};
  EXPECT(y.get(o) == expected);
  // Once more: the one before left it alone when it was destroyed.
  gtr_stream* again = nullptr;
  EXPECT_OK(gtr_stream_create(o.device, legacy, &again));
  EXPECT_OK(gtr_stream_destroy(again));
  EXPECT_OK(gtr_gather(o.stream, &x.view, &index.view, &y.view));
  EXPECT(y.get(o) == expected);
}

// GTR_GEMM: who multiplies is said, and a value that nobody knows is refused.
void products_by_cublaslt() {
  Opened o;
  gtr_device_info info = {};
  EXPECT_OK(gtr_device_get_info(o.device, &info));
  EXPECT(std::strstr(info.reason, "tall products by cuBLASLt (GTR_GEMM): rows may depend on their batch") != nullptr);
}

void unknown_products() {
  gtr_device_options options = {GTR_BACKEND_CUDA, 0, 0, 0};
  gtr_device* device = nullptr;
  EXPECT(gtr_device_open(&options, &device) == GTR_ERROR_INVALID_ARGUMENT);
  EXPECT(last_error_has({"GTR_GEMM is \"cublas\"", "own and cublaslt"}));
}

}  // namespace
}  // namespace gtr::test

int main() {
  using namespace gtr::test;
  unsetenv("CUDA_VISIBLE_DEVICES");
  unsetenv("GTR_SYNC");
  unsetenv("GTR_GEMM");
  const auto says = [](const char* sentence) { return [sentence] { absent(sentence); }; };
  with("no driver", {{"GTR_EMU_DRIVER", "0"}},
       says("no cuda-emu device: the NVIDIA driver (libcuda.so.1) is not installed"));
  with("old driver", {{"GTR_EMU_DRIVER", "12040"}},
       says("no cuda-emu device: the NVIDIA driver knows CUDA 12.4, which is older than the 13.0 of this build"));
  with("no card", {{"GTR_EMU_DEVICES", "0"}}, says("no cuda-emu device: the NVIDIA driver (CUDA 13.0) finds no card"));
  with("hidden card", {{"GTR_EMU_DEVICES", "0"}, {"CUDA_VISIBLE_DEVICES", "-1"}},
       says("no cuda-emu device: the NVIDIA driver (CUDA 13.0) finds no card; CUDA_VISIBLE_DEVICES is \"-1\""));
  with("old card", {{"GTR_EMU_CAPABILITY", "75"}},
       says("no cuda-emu device: gtr4j emulator has compute capability 7.5, allowed are 8.0 and newer"));
  with("opening", {}, opening);
  with("memory", {{"GTR_EMU_MEMORY", "2"}}, memory);
  with("failed allocations", {}, failed_allocations);
  with("lost device", {}, lost_device);
  with("many calls", {}, many_calls);
  with("checked after every call", {{"GTR_SYNC", "1"}}, checked_after_every_call);
  with("findings", {}, findings);
  with("cancelling", {}, cancelling);
  with("external stream", {}, external_stream);
  with("products by cuBLASLt", {{"GTR_GEMM", "cublaslt"}}, products_by_cublaslt);
  with("unknown products", {{"GTR_GEMM", "cublas"}}, unknown_products);
  return result();
}
