// device.h on the emulator. See there for what everything means, and README.md for what is checked.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

#include "cuda_runtime.h"
#include "queue.h"

// A lambda's static variable is another one in each instantiation of a kernel: the key of the array.
#define GTR_SHARED(type, name, count)                                                          \
  static_assert(std::is_trivially_copyable<type>::value, "shared memory has no constructors"); \
  type(&name)[count] = *static_cast<type(*)[count]>(::gtr::cuda::emu::static_shared(           \
      [] {                                                                                     \
        static char key;                                                                       \
        return static_cast<const void*>(&key);                                                 \
      }(),                                                                                     \
      sizeof(type[count]), alignof(type), {__FILE__, __LINE__, __FUNCTION__}))

namespace gtr::cuda {

namespace emu {

// A place in a kernel's source.
struct Site {
  const char* file;
  int line;
  const char* function;
};

// What lanes of a warp do together. Each lane deposits the address of its operands; the last one to arrive does the
// work for all, and everybody goes on.
enum class Collective { kWarpSync, kShuffle, kBallot, kMultiply, kLoadMatrix };
struct ShuffleOperand {
  uint32_t value;  // in and out
  int32_t source;  // lane
};
struct BallotOperand {
  bool predicate;
  uint32_t votes;
};
struct MultiplyOperand {
  float* d;
  const uint32_t* a;
  const uint32_t* b;
};
struct LoadMatrixOperand {
  uint32_t* registers;
  const void* row;
  int32_t tiles;
  bool transposed;
};
void meet(Collective what, void* operand, Site site);

void wait_for_block(Site site);
void wait_for_warp(Site site);
void wait_for_grid(void* barrier, Site site);
void wait_for_dependency(Site site);
void* static_shared(const void* key, size_t bytes, size_t alignment, Site site);
void* dynamic_shared(Site site);
void copy_async(void* shared, const void* global, bool valid, Site site);
void commit_copies(Site site);
void wait_for_copies(unsigned younger, Site site);
void group_multiply(float* d, int columns, const void* a, const void* b, int k, Site site);
void commit_products(Site site);
void wait_for_products(unsigned younger, Site site);
void check_access_16(const void* address, bool global, Site site);

// A launch as it waits in a queue or a graph.
struct Launch {
  const char* signature;  // names the kernel
  std::function<void()> body;
  dim3 grid;
  int threads;
  int64_t shared_bytes;
  detail::LaunchKind kind;
};
void enqueue(Queue& queue, Launch launch) noexcept;

template <typename T>
uint32_t register_of(T value) {
  static_assert(std::is_same<T, int32_t>::value || std::is_same<T, uint32_t>::value || std::is_same<T, float>::value,
                "shuffles move int32_t, uint32_t or float");
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

template <typename T>
T shuffled(T value, int source, Site site) {
  ShuffleOperand operand{register_of(value), source};
  meet(Collective::kShuffle, &operand, site);
  std::memcpy(&value, &operand.value, sizeof value);
  return value;
}

}  // namespace emu

#define GTR_EMU_SITE \
  const char *file = __builtin_FILE(), int line = __builtin_LINE(), const char *function = __builtin_FUNCTION()

// ---- shared memory

template <typename T>
T* dynamic_shared(GTR_EMU_SITE) {
  return static_cast<T*>(emu::dynamic_shared({file, line, function}));
}

template <typename T>
T* dynamic_shared_1024(GTR_EMU_SITE) {
  auto* shared = static_cast<unsigned char*>(emu::dynamic_shared({file, line, function}));
  return reinterpret_cast<T*>(shared + (1024 - reinterpret_cast<uintptr_t>(shared) % 1024) % 1024);
}

// ---- waiting

inline void block_sync(GTR_EMU_SITE) { emu::wait_for_block({file, line, function}); }
inline void warp_sync(GTR_EMU_SITE) { emu::wait_for_warp({file, line, function}); }

struct GridBarrier {
  unsigned arrived;
  unsigned generation;
};
inline void grid_sync(GridBarrier& barrier, GTR_EMU_SITE) { emu::wait_for_grid(&barrier, {file, line, function}); }

// ---- overlapping launches

constexpr bool kOverlaps = true;
inline void dependency_wait(GTR_EMU_SITE) { emu::wait_for_dependency({file, line, function}); }
inline void dependents_launch() {}

// ---- within a warp

inline int lane_id() { return static_cast<int>(threadIdx.x) % kWarp; }
inline int warp_id() { return static_cast<int>(threadIdx.x) / kWarp; }

template <typename T>
T shuffle(T value, int source, GTR_EMU_SITE) {
  return emu::shuffled(value, source & (kWarp - 1), {file, line, function});
}
template <typename T>
T shuffle_xor(T value, int mask, GTR_EMU_SITE) {
  const int source = lane_id() ^ mask;
  return emu::shuffled(value, source >= 0 && source < kWarp ? source : lane_id(), {file, line, function});
}
template <typename T>
T shuffle_up(T value, int delta, GTR_EMU_SITE) {
  const int source = lane_id() - delta;
  return emu::shuffled(value, source >= 0 ? source : lane_id(), {file, line, function});
}
template <typename T>
T shuffle_down(T value, int delta, GTR_EMU_SITE) {
  const int source = lane_id() + delta;
  return emu::shuffled(value, source < kWarp ? source : lane_id(), {file, line, function});
}
inline uint32_t ballot(bool predicate, GTR_EMU_SITE) {
  emu::BallotOperand operand{predicate, 0};
  emu::meet(emu::Collective::kBallot, &operand, {file, line, function});
  return operand.votes;
}

inline int popcount(uint32_t bits) { return __builtin_popcount(bits); }

// ---- asynchronous copies

inline void copy_async_16(void* shared, const void* global, bool valid, GTR_EMU_SITE) {
  emu::copy_async(shared, global, valid, {file, line, function});
}
inline void copy_async_commit(GTR_EMU_SITE) { emu::commit_copies({file, line, function}); }
template <int kGroups>
void copy_async_wait(GTR_EMU_SITE) {
  static_assert(kGroups >= 0, "a number of groups");
  emu::wait_for_copies(kGroups, {file, line, function});
}

// ---- tensor-core tiles

inline void multiply_bf16(float (&d)[4], const Bf16x2 (&a)[4], const Bf16x2 (&b)[2], GTR_EMU_SITE) {
  emu::MultiplyOperand operand{d, a, b};
  emu::meet(emu::Collective::kMultiply, &operand, {file, line, function});
}
inline void load_matrix_x4(Bf16x2 (&r)[4], const void* row, GTR_EMU_SITE) {
  emu::LoadMatrixOperand operand{r, row, 4, false};
  emu::meet(emu::Collective::kLoadMatrix, &operand, {file, line, function});
}
inline void load_matrix_x4_transposed(Bf16x2 (&r)[4], const void* row, GTR_EMU_SITE) {
  emu::LoadMatrixOperand operand{r, row, 4, true};
  emu::meet(emu::Collective::kLoadMatrix, &operand, {file, line, function});
}
inline void load_matrix_x2(Bf16x2 (&r)[2], const void* row, GTR_EMU_SITE) {
  emu::LoadMatrixOperand operand{r, row, 2, false};
  emu::meet(emu::Collective::kLoadMatrix, &operand, {file, line, function});
}
inline void load_matrix_x2_transposed(Bf16x2 (&r)[2], const void* row, GTR_EMU_SITE) {
  emu::LoadMatrixOperand operand{r, row, 2, true};
  emu::meet(emu::Collective::kLoadMatrix, &operand, {file, line, function});
}

// ---- tiles of a warpgroup

inline void fence_shared() {}
inline void group_multiply_begin() {}
template <int kColumns>
void group_multiply(float (&d)[kColumns / 2], const void* a, const void* b, int k, GTR_EMU_SITE) {
  emu::group_multiply(d, kColumns, a, b, k, {file, line, function});
}
inline void group_multiply_commit(GTR_EMU_SITE) { emu::commit_products({file, line, function}); }
template <int kGroups>
void group_multiply_wait(GTR_EMU_SITE) {
  static_assert(kGroups >= 0, "a number of groups");
  emu::wait_for_products(kGroups, {file, line, function});
}

// ---- memory

inline uint4 load_streaming_16(const void* global, GTR_EMU_SITE) {
  emu::check_access_16(global, true, {file, line, function});
  return *static_cast<const uint4*>(global);
}
inline uint4 load_16(const void* address, GTR_EMU_SITE) {
  emu::check_access_16(address, false, {file, line, function});
  uint4 value;
  std::memcpy(&value, address, sizeof value);
  return value;
}
inline void store_16(void* address, uint4 value, GTR_EMU_SITE) {
  emu::check_access_16(address, false, {file, line, function});
  std::memcpy(address, &value, sizeof value);
}
inline void prefetch_l2(const void* global, GTR_EMU_SITE) {
  emu::check_access_16(global, true, {file, line, function});
}
template <typename T>
T load_relaxed(const T* global) {
  static_assert(std::is_same<T, int32_t>::value || std::is_same<T, uint32_t>::value, "int32_t or uint32_t");
  return __atomic_load_n(global, __ATOMIC_RELAXED);
}
inline int32_t atomic_compare_swap(int32_t* address, int32_t expected, int32_t value) {
  __atomic_compare_exchange_n(address, &expected, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return expected;
}
inline void fence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

// ---- arithmetic

inline Bf16 to_bf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return {0x7fff};
  return {static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16)};
}
inline float to_float(Bf16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}
inline Bf16x2 pack_bf16(float low, float high) {
  return static_cast<uint32_t>(to_bf16(low).bits) | static_cast<uint32_t>(to_bf16(high).bits) << 16;
}
inline float2 unpack_bf16(Bf16x2 packed) {
  return {to_float({static_cast<uint16_t>(packed)}), to_float({static_cast<uint16_t>(packed >> 16)})};
}
inline float exp2_fast(float x) { return exp2f(x); }
inline float float_infinity() { return std::numeric_limits<float>::infinity(); }

// ---- launching

namespace detail {

template <auto kKernel>
const char* signature_of() {
  return __PRETTY_FUNCTION__;
}

template <auto kKernel>
struct Launcher;

template <typename... Parameters, void (*kKernel)(Parameters...)>
struct Launcher<kKernel> {
  static void run(Queue& queue, LaunchKind kind, dim3 grid, int threads, int64_t shared_bytes,
                  Parameters... parameters) noexcept {
    static_assert((std::is_trivially_copyable<Parameters>::value && ...), "arguments of kernels are copied as bytes");
    if (queue.error != cudaSuccess || grid.x == 0 || grid.y == 0 || grid.z == 0) return;
    std::tuple<Parameters...> arguments(parameters...);
    auto body = [arguments] { std::apply(kKernel, arguments); };
    emu::enqueue(queue, {signature_of<kKernel>(), body, grid, threads, shared_bytes, kind});
  }
};

}  // namespace detail

template <auto kKernel>
int resident_blocks(int threads, int64_t shared_bytes) noexcept {
  int blocks = 0;
  const cudaError_t result =
      cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kKernel, threads, static_cast<size_t>(shared_bytes));
  return result == cudaSuccess ? blocks : 0;
}

#undef GTR_EMU_SITE

}  // namespace gtr::cuda

// Functions that CUDA has beyond the C library.
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
// Exact at multiples of a quarter turn, as CUDA's.
void sincospi(double x, double* sine, double* cosine);
