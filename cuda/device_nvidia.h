// device.h on a GPU. See there for what everything means.
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>

#include "queue.h"

#define GTR_SHARED(type, name, count) __shared__ type name[count]

namespace gtr::cuda {

// ---- shared memory

template <typename T>
__device__ __forceinline__ T* dynamic_shared() {
  extern __shared__ __align__(128) unsigned char gtr_dynamic_shared[];
  return reinterpret_cast<T*>(gtr_dynamic_shared);
}

__device__ __forceinline__ uint32_t shared_address(const void* shared) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(shared));
}

template <typename T>
__device__ __forceinline__ T* dynamic_shared_1024() {
  auto* const shared = dynamic_shared<unsigned char>();
  return reinterpret_cast<T*>(shared + (0u - shared_address(shared)) % 1024u);
}

// ---- waiting

__device__ __forceinline__ void block_sync() { __syncthreads(); }
__device__ __forceinline__ void warp_sync() { __syncwarp(); }

struct GridBarrier {
  unsigned arrived;
  unsigned generation;
};

// One thread of a block speaks for all of it. The last block to arrive opens the next generation.
__device__ __forceinline__ void grid_sync(GridBarrier& barrier) {
  __syncthreads();
  if (threadIdx.x == 0) {
    const unsigned blocks = gridDim.x * gridDim.y * gridDim.z;
    volatile unsigned* generation = &barrier.generation;
    const unsigned now = *generation;
    __threadfence();
    if (atomicAdd(&barrier.arrived, 1u) == blocks - 1) {
      barrier.arrived = 0;
      __threadfence();
      *generation = now + 1;
    } else {
      while (*generation == now) {
      }
    }
    __threadfence();
  }
  __syncthreads();
}

// ---- overlapping launches

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
constexpr bool kOverlaps = true;
__device__ __forceinline__ void dependency_wait() { asm volatile("griddepcontrol.wait;\n" ::: "memory"); }
__device__ __forceinline__ void dependents_launch() {
  asm volatile("griddepcontrol.launch_dependents;\n" ::: "memory");
}
#else
constexpr bool kOverlaps = false;
__device__ __forceinline__ void dependency_wait() {}
__device__ __forceinline__ void dependents_launch() {}
#endif

// ---- within a warp

__device__ __forceinline__ int lane_id() { return static_cast<int>(threadIdx.x) % kWarp; }
__device__ __forceinline__ int warp_id() { return static_cast<int>(threadIdx.x) / kWarp; }

template <typename T>
__device__ __forceinline__ T shuffle(T value, int source) {
  return __shfl_sync(kAllLanes, value, source);
}
template <typename T>
__device__ __forceinline__ T shuffle_xor(T value, int mask) {
  return __shfl_xor_sync(kAllLanes, value, mask);
}
template <typename T>
__device__ __forceinline__ T shuffle_up(T value, int delta) {
  return __shfl_up_sync(kAllLanes, value, static_cast<unsigned>(delta));
}
template <typename T>
__device__ __forceinline__ T shuffle_down(T value, int delta) {
  return __shfl_down_sync(kAllLanes, value, static_cast<unsigned>(delta));
}
__device__ __forceinline__ uint32_t ballot(bool predicate) { return __ballot_sync(kAllLanes, predicate); }
__device__ __forceinline__ int popcount(uint32_t bits) { return __popc(bits); }

// ---- asynchronous copies

__device__ __forceinline__ void copy_async_16(void* shared, const void* global, bool valid) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(shared_address(shared)), "l"(global),
               "r"(valid ? 16 : 0)
               : "memory");
}
__device__ __forceinline__ void copy_async_commit() { asm volatile("cp.async.commit_group;\n" ::: "memory"); }
template <int kGroups>
__device__ __forceinline__ void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(kGroups) : "memory");
}

// ---- tensor-core tiles

__device__ __forceinline__ void multiply_bf16(float (&d)[4], const Bf16x2 (&a)[4], const Bf16x2 (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};\n"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

__device__ __forceinline__ void load_matrix_x4(Bf16x2 (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}
__device__ __forceinline__ void load_matrix_x4_transposed(Bf16x2 (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}
__device__ __forceinline__ void load_matrix_x2(Bf16x2 (&r)[2], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];\n"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(shared_address(row))
               : "memory");
}
__device__ __forceinline__ void load_matrix_x2_transposed(Bf16x2 (&r)[2], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];\n"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(shared_address(row))
               : "memory");
}

// ---- tiles of a warpgroup

__device__ __forceinline__ void fence_shared() { asm volatile("fence.proxy.async.shared::cta;\n" ::: "memory"); }
__device__ __forceinline__ void group_multiply_begin() { asm volatile("wgmma.fence.sync.aligned;\n" ::: "memory"); }
__device__ __forceinline__ void group_multiply_commit() {
  asm volatile("wgmma.commit_group.sync.aligned;\n" ::: "memory");
}
template <int kGroups>
__device__ __forceinline__ void group_multiply_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;\n" ::"n"(kGroups) : "memory");
}

}  // namespace gtr::cuda

#include "device_wgmma.h"

namespace gtr::cuda {

// ---- memory

__device__ __forceinline__ uint4 load_streaming_16(const void* global) {
  uint4 value;
  asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
               : "l"(global));
  return value;
}
__device__ __forceinline__ uint4 load_16(const void* address) { return *static_cast<const uint4*>(address); }
__device__ __forceinline__ void store_16(void* address, uint4 value) { *static_cast<uint4*>(address) = value; }
__device__ __forceinline__ void prefetch_l2(const void* global) {
  asm volatile("prefetch.global.L2 [%0];\n" ::"l"(__cvta_generic_to_global(global)));
}
template <typename T>
__device__ __forceinline__ T load_relaxed(const T* global) {
  return *static_cast<const volatile T*>(global);
}
__device__ __forceinline__ int32_t atomic_compare_swap(int32_t* address, int32_t expected, int32_t value) {
  return atomicCAS(address, expected, value);
}
__device__ __forceinline__ void fence() { __threadfence_system(); }

// ---- arithmetic

__device__ __forceinline__ Bf16 to_bf16(float value) { return {__bfloat16_as_ushort(__float2bfloat16_rn(value))}; }
__host__ __device__ __forceinline__ float to_float(Bf16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
#if defined(__CUDA_ARCH__)
  return __uint_as_float(bits);
#else
  float result;
  __builtin_memcpy(&result, &bits, sizeof result);
  return result;
#endif
}
__device__ __forceinline__ Bf16x2 pack_bf16(float low, float high) {
  Bf16x2 packed;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;\n" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
}
__device__ __forceinline__ float2 unpack_bf16(Bf16x2 packed) {
  return make_float2(__uint_as_float(packed << 16), __uint_as_float(packed & 0xffff0000u));
}
__device__ __forceinline__ float exp2_fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;\n" : "=f"(y) : "f"(x));
  return y;
}
__device__ __forceinline__ float float_infinity() { return __int_as_float(0x7f800000); }

// ---- launching

namespace detail {

// The node begins when all blocks of the kernel before it have said dependents_launch, or returned.
inline cudaError_t add_overlapping_edge(cudaGraph_t graph, cudaGraphNode_t from, cudaGraphNode_t to) {
  cudaGraphEdgeData edge = {};
  edge.from_port = cudaGraphKernelNodePortProgrammatic;
  edge.type = cudaGraphDependencyTypeProgrammatic;
#if CUDART_VERSION >= 13000
  return cudaGraphAddDependencies(graph, &from, &to, &edge, 1);
#else
  return cudaGraphAddDependencies_v2(graph, &from, &to, &edge, 1);
#endif
}

template <auto kKernel>
struct Launcher;

template <typename... Parameters, void (*kKernel)(Parameters...)>
struct Launcher<kKernel> {
  static void run(Queue& queue, LaunchKind kind, dim3 grid, int threads, int64_t shared_bytes,
                  Parameters... parameters) noexcept {
    if (queue.error != cudaSuccess || grid.x == 0 || grid.y == 0 || grid.z == 0) return;
    const auto function = reinterpret_cast<const void*>(kKernel);
    constexpr int64_t kWithoutAsking = 48 << 10;
    if (shared_bytes > kWithoutAsking) {
      queue.note(
          cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes)));
      if (queue.error != cudaSuccess) return;
    }
    void* arguments[sizeof...(Parameters) + 1] = {static_cast<void*>(&parameters)..., nullptr};
    const dim3 block(static_cast<unsigned>(threads));
    if (queue.graph != nullptr) {
      cudaKernelNodeParams node = {};
      node.func = const_cast<void*>(function);
      node.gridDim = grid;
      node.blockDim = block;
      node.sharedMemBytes = static_cast<unsigned>(shared_bytes);
      node.kernelParams = arguments;
      cudaGraphNode_t added = nullptr;
      const bool overlaps = kind == LaunchKind::kDependent && queue.overlaps && queue.last != nullptr;
      queue.note(
          cudaGraphAddKernelNode(&added, queue.graph, &queue.last, queue.last == nullptr || overlaps ? 0 : 1, &node));
      if (overlaps && queue.error == cudaSuccess) queue.note(add_overlapping_edge(queue.graph, queue.last, added));
      queue.last = added;
    } else if (kind == LaunchKind::kDependent && queue.overlaps) {
      cudaLaunchAttribute attribute = {};
      attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
      attribute.val.programmaticStreamSerializationAllowed = 1;
      cudaLaunchConfig_t config = {};
      config.gridDim = grid;
      config.blockDim = block;
      config.dynamicSmemBytes = static_cast<size_t>(shared_bytes);
      config.stream = queue.stream;
      config.attrs = &attribute;
      config.numAttrs = 1;
      queue.note(cudaLaunchKernelExC(&config, function, arguments));
    } else if (kind == LaunchKind::kCooperative) {
      queue.note(cudaLaunchCooperativeKernel(function, grid, block, arguments, static_cast<size_t>(shared_bytes),
                                             queue.stream));
    } else {
      queue.note(cudaLaunchKernel(function, grid, block, arguments, static_cast<size_t>(shared_bytes), queue.stream));
    }
  }
};

}  // namespace detail

template <auto kKernel>
int resident_blocks(int threads, int64_t shared_bytes) noexcept {
  const auto function = reinterpret_cast<const void*>(kKernel);
  int blocks = 0;
  cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes));
  const cudaError_t result =
      cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, function, threads, static_cast<size_t>(shared_bytes));
  return result == cudaSuccess ? blocks : 0;
}

}  // namespace gtr::cuda
