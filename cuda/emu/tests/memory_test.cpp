// Device memory: undefined at first, counted, limited, and out of the host's reach.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <functional>

#include "test.h"

namespace gtr::cuda::test {
namespace {

__global__ void write_kernel(uint8_t* data) { *data = 1; }

// True if the process dies of it. In a child.
bool dies(const std::function<void()>& action) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(0);  // a sanitizer's report
    std::signal(SIGSEGV, SIG_DFL);
    action();
    _exit(0);
  }
  int status = 0;
  EXPECT(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? WTERMSIG(status) == SIGSEGV : WEXITSTATUS(status) != 0;
}

void test_starts_undefined() {
  Array<uint8_t> memory(10000);
  for (const uint8_t byte : memory.download()) EXPECT(byte == 0xff);
}

void test_host_has_no_access() {
  Array<uint8_t> memory(std::vector<uint8_t>(100, 3));
  Array<uint8_t> out(1);
  volatile uint8_t* data = memory.data();
  EXPECT(dies([&] { (void)data[5]; }) == emu::settings().protect);
  EXPECT(dies([&] { data[5] = 1; }) == emu::settings().protect);
  EXPECT(!dies([] {}));
}

// Behind an allocation: without AddressSanitizer after the 256 bytes that every allocation is aligned to.
void test_bounds() {
  uint8_t* data = nullptr;
  EXPECT_OK(cudaMalloc(&data, 1000));
  EXPECT(reinterpret_cast<uintptr_t>(data) % 256 == 0);
  const auto write_dies = [&](int64_t offset) { return dies([&] { run<write_kernel>(1, 1, 0, data + offset); }); };
  EXPECT(!write_dies(999));
  EXPECT(write_dies(1024));
#if defined(__SANITIZE_ADDRESS__)
  EXPECT(write_dies(1000));
  EXPECT(write_dies(-1));
#endif
  EXPECT(write_dies(-4096));
  uint8_t* freed = data;
  EXPECT_OK(cudaFree(data));
  EXPECT(dies([&] { run<write_kernel>(1, 1, 0, freed); }));
  EXPECT(cudaFree(freed) == cudaErrorInvalidValue);
  EXPECT_OK(cudaFree(nullptr));
  EXPECT(cudaFreeHost(freed) == cudaErrorInvalidValue);
  cudaGetLastError();
}

void test_limits() {
  size_t available = 0;
  size_t total = 0;
  EXPECT_OK(cudaMemGetInfo(&available, &total));
  EXPECT(total == static_cast<size_t>(emu::settings().memory_bytes));
  void* data = nullptr;
  EXPECT(cudaMalloc(&data, available + 1) == cudaErrorMemoryAllocation && data == nullptr);
  EXPECT(cudaGetLastError() == cudaErrorMemoryAllocation);
  EXPECT_OK(cudaMalloc(&data, 12345));
  size_t left = 0;
  EXPECT_OK(cudaMemGetInfo(&left, &total));
  EXPECT(left == available - 12345);
  EXPECT_OK(cudaFree(data));
  gtr_emu_fail_allocation(2);
  EXPECT_OK(cudaMalloc(&data, 1));
  void* other = nullptr;
  EXPECT(cudaHostAlloc(&other, 1, 0) == cudaErrorMemoryAllocation && other == nullptr);
  EXPECT_OK(cudaHostAlloc(&other, 1, 0));
  EXPECT_OK(cudaFreeHost(other));
  EXPECT_OK(cudaFree(data));
  cudaGetLastError();
}

void test_pointers() {
  Array<uint8_t> memory(100);
  void* pinned = nullptr;
  EXPECT_OK(cudaHostAlloc(&pinned, 100, cudaHostAllocMapped));
  int local = 0;
  const auto type_of = [](const void* pointer) {
    cudaPointerAttributes attributes;
    EXPECT_OK(cudaPointerGetAttributes(&attributes, pointer));
    return attributes.type;
  };
  EXPECT(type_of(memory.data() + 99) == cudaMemoryTypeDevice);
  EXPECT(type_of(static_cast<uint8_t*>(pinned) + 99) == cudaMemoryTypeHost);
  EXPECT(type_of(&local) == cudaMemoryTypeUnregistered);
  void* device = nullptr;
  EXPECT_OK(cudaHostGetDevicePointer(&device, pinned, 0));
  EXPECT(device == pinned);
  EXPECT(cudaHostGetDevicePointer(&device, &local, 0) == cudaErrorInvalidValue);
  EXPECT_OK(cudaFreeHost(pinned));
  EXPECT(type_of(pinned) == cudaMemoryTypeUnregistered);
  cudaGetLastError();
}

void test_properties() {
  int count = 0;
  EXPECT_OK(cudaGetDeviceCount(&count));
  EXPECT(count == 1);
  cudaDeviceProp properties;
  EXPECT_OK(cudaGetDeviceProperties(&properties, 0));
  int shared = 0;
  EXPECT_OK(cudaDeviceGetAttribute(&shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0));
  EXPECT(static_cast<size_t>(shared) == properties.sharedMemPerBlockOptin && shared == emu::settings().shared_bytes);
  EXPECT(cudaGetDeviceProperties(&properties, 1) == cudaErrorInvalidDevice);
  EXPECT(cudaSetDevice(1) == cudaErrorInvalidDevice);
  EXPECT(cudaGetLastError() == cudaErrorInvalidDevice && cudaGetLastError() == cudaSuccess);
  EXPECT(std::string(cudaGetErrorName(cudaErrorLaunchFailure)) == "cudaErrorLaunchFailure");
  EXPECT(std::string(cudaGetErrorString(cudaErrorMemoryAllocation)) == "out of memory");
}

}  // namespace

void test_memory() {
  test_starts_undefined();
  test_host_has_no_access();
  test_bounds();
  test_limits();
  test_pointers();
  test_properties();
}

}  // namespace gtr::cuda::test
