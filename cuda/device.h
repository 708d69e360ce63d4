// The one door to the GPU: qualifiers, thread indices, synchronisation, shared memory, tensor-core tiles, asynchronous
// copies and launches. Kernels use what is declared here and nothing else of CUDA, so that the same sources run on two
// machines: compiled by nvcc on a GPU, and compiled by g++ with GTR_CUDA_EMU on the fibres of cuda/emu, where tests
// prove what no card is at hand for.
//
// From the language, both know: __global__, __device__, __host__, __forceinline__, __restrict__,
// __launch_bounds__(threads, blocks), threadIdx, blockIdx, blockDim, gridDim, dim3, int2, uint2, uint4, float2, float4
// and their make_ functions, and of the runtime the functions that emu/cuda_runtime.h lists.
//
// Everywhere below:
// - "Warp": all 32 lanes must call, converged. "Block": all threads of the block that have not returned must call.
// - Functions that wait (the file and line of whose call site the emulator can remove, see emu/README.md) take no
//   other arguments than those documented; the trailing ones are filled in by the compiler.
#pragma once

#include <cstdint>

namespace gtr::cuda {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffu;

// Two bfloat16 in one register; the element with the lower index or column in the lower half, as mma.sync has them.
using Bf16x2 = uint32_t;

// One bfloat16. Conversions round to nearest even; NaN becomes 0x7fff.
struct Bf16 {
  uint16_t bits;
};

namespace detail {
enum class LaunchKind { kPlain, kCooperative, kDependent };
}  // namespace detail

}  // namespace gtr::cuda

#if defined(GTR_CUDA_EMU)
#include "emu/device_emu.h"
#else
#include "device_nvidia.h"
#endif

namespace gtr::cuda {

// detail::Launcher<kKernel>::run is what differs.

template <auto kKernel, typename... Arguments>
void launch(Queue& queue, dim3 grid, int threads, int64_t shared_bytes, Arguments... arguments) noexcept {
  detail::Launcher<kKernel>::run(queue, detail::LaunchKind::kPlain, grid, threads, shared_bytes, arguments...);
}

template <auto kKernel, typename... Arguments>
void launch_cooperative(Queue& queue, dim3 grid, int threads, int64_t shared_bytes, Arguments... arguments) noexcept {
  detail::Launcher<kKernel>::run(queue, detail::LaunchKind::kCooperative, grid, threads, shared_bytes, arguments...);
}

template <auto kKernel, typename... Arguments>
void launch_dependent(Queue& queue, dim3 grid, int threads, int64_t shared_bytes, Arguments... arguments) noexcept {
  detail::Launcher<kKernel>::run(queue, detail::LaunchKind::kDependent, grid, threads, shared_bytes, arguments...);
}

}  // namespace gtr::cuda

// What both define, all in gtr::cuda and for device code unless marked host:
//
// Shared memory
//   GTR_SHARED(type, name, count)          a shared array `name` of the block; starts undefined (emulator: NaN)
//   T* dynamic_shared<T>()                 the launch's dynamic shared memory, aligned to 128 bytes
//   T* dynamic_shared_1024<T>()            its first multiple of 1024 bytes: a launch asks for 1024 more than it needs
//
// Waiting
//   void block_sync()                      Block. barrier; orders shared and global memory within the block
//   void warp_sync()                       Warp. the same for a warp
//   void grid_sync(GridBarrier&)           all blocks of a cooperative launch; the barrier starts as zeros
//   GridBarrier                            lies in global memory, 4-byte aligned, zeroed before the launch
//
// Overlapping launches (PTX ISA, "griddepcontrol"), for kernels that launch_dependent launches
//   void dependency_wait()                 ends when all launches before this one have; their writes are then seen.
//                                          Every thread calls it before it returns, before it writes to global memory,
//                                          and before it reads from there what another kernel may have written: what a
//                                          launch two before this one wrote is no exception. Packed weights and their
//                                          biases, which are set between calls, are free before it, and so is
//                                          `cancelled`
//   void dependents_launch()               Block. lets the next launch begin. Said at once: its blocks take only what
//                                          this launch's leave, and wait for its end
//   bool kOverlaps                         constant; below compute capability 9.0 it is false, and both do nothing
//
// Within a warp; T is int32_t, uint32_t or float
//   int lane_id()                          threadIdx.x % 32; blocks are launched with threadIdx.y = z = 0
//   int warp_id()                          threadIdx.x / 32
//   T shuffle(T value, int source)         Warp. of lane `source`
//   T shuffle_xor(T value, int mask)       Warp. of lane lane_id() ^ mask
//   T shuffle_up / shuffle_down(T value, int delta)  Warp. of lane lane_id() -/+ delta, own value where there is none
//   uint32_t ballot(bool)                  Warp. bit l set if lane l's is true
//   int popcount(uint32_t)                 how many bits are set; any thread
//
// Asynchronous copies to shared memory, cp.async (PTX ISA, "cp.async", "cp.async.commit_group", "cp.async.wait_group")
//   void copy_async_16(void* shared, const void* global, bool valid)
//                                          16 bytes, both aligned to 16, bypassing L1; zeros if not valid, and then
//                                          global is not read (but must be a valid pointer value)
//   void copy_async_commit()               ends a group of the thread's copies
//   void copy_async_wait<N>()              waits until at most the N youngest groups of this thread are under way.
//                                          Other threads see the data after a block_sync
//
// Tensor-core tiles (PTX ISA, "Matrix fragments for mma.m16n8k16 with floating point type", "ldmatrix"). Lane l has
// group g = l / 4 and thread-in-group t = l % 4
//   void multiply_bf16(float (&d)[4], const Bf16x2 (&a)[4], const Bf16x2 (&b)[2])
//                                          Warp. D += A B for A [16, 16] row-major, B [16, 8] column-major;
//                                          a[0]: A[g][2t..], a[1]: A[g+8][2t..], a[2]: A[g][2t+8..], a[3]:
//                                          A[g+8][2t+8..]; b[0]: B[2t..][g], b[1]: B[2t+8..][g]; d[0], d[1]: D[g][2t,
//                                          2t+1], d[2], d[3]: D[g+8][2t, 2t+1]
//   void load_matrix_x4(Bf16x2 (&r)[4], const void* row)
//                                          Warp. four 8x8 tiles of 16-bit elements in shared memory; lane l gives the
//                                          address of row l % 8 of tile l / 8, 16 bytes aligned to 16; r[i] gets of
//                                          tile i the elements [g][2t, 2t+1]
//   void load_matrix_x4_transposed(...)    the same, r[i] gets [2t][g] and [2t+1][g]
//   void load_matrix_x2(Bf16x2 (&r)[2], const void* row), load_matrix_x2_transposed(...)
//                                          two tiles; addresses of lanes 0..15
//
// Tiles of a warpgroup, compute capability 9.0 alone (PTX ISA, "wgmma.mma_async"). "Group": all 128 threads of
// warps 4 i to 4 i + 3 must call, converged
//   void group_multiply<kColumns>(float (&d)[kColumns / 2], const void* a, const void* b, int k)
//                                          Group. D += A B^T for the inputs 16 k to 16 k + 15, kColumns 32, 64, 128
//                                          or 192. a: 64 rows, b: kColumns rows of 64 bf16 in shared memory,
//                                          aligned to 1024; chunk c of 16 bytes of row r lies at 128 r + 16 (c ^ r %
//                                          8). Lane (g, t) of warp w has d[4 n], d[4 n + 1]: D[16 w + g][8 n + 2t,
//                                          2t+1], d[4 n + 2], d[4 n + 3]: D[16 w + g + 8][8 n + 2t, 2t+1]. Tiles and d
//                                          are in use until a wait
//   void group_multiply_begin()            Group. before products whose d other instructions have written
//   void group_multiply_commit()           Group. ends a group of products
//   void group_multiply_wait<N>()          Group. waits until at most the N youngest groups are under way
//   void fence_shared()                    orders this thread's writes to shared memory, copies that it has waited for
//                                          included, before products that are issued after a block_sync
//
// Memory
//   uint4 load_streaming_16(const void* global)   16 aligned bytes of read-only data that are not read again soon
//   uint4 load_16(const void*), void store_16(void*, uint4)   16 aligned bytes, any memory
//   void prefetch_l2(const void* global)   asks for the 128 bytes around an address that is aligned to 16, to L2
//   T load_relaxed(const T* global)        of int32_t or uint32_t that another stream or block may write meanwhile
//   int32_t atomic_compare_swap(int32_t* address, int32_t expected, int32_t value)   returns what was there
//   void fence()                           orders this thread's writes for all threads of the device and the host
//
// Arithmetic. Nothing is contracted behind our back: nvcc runs with --fmad=false, and fmaf is written where it is meant
//   Bf16 to_bf16(float), float to_float(Bf16), Bf16x2 pack_bf16(float low, float high), float2 unpack_bf16(Bf16x2)
//   float exp2_fast(float)                 ex2.approx: 2 ulp, 0 for -inf (emulator: exp2f)
//   float rsqrtf, erff, expf, logf, fmaf, fmaxf, fminf, fabsf, sqrtf; double sincospi(x, &s, &c), sqrt, log, cos, sin
//   float float_infinity()
//
// Launching (host). Threads are those of blockDim.x; shared_bytes of dynamic shared memory, also above 48 KiB.
//   void launch<kernel>(Queue& queue, dim3 grid, int threads, int64_t shared_bytes, arguments...)
//   void launch_cooperative<kernel>(...)   all blocks are resident at once, so that grid_sync ends; never into a graph
//                                          On the queue's stream, or as the next node of the queue's graph. A failure
//                                          is kept in queue.error, the first one. An empty grid is no launch
//   void launch_dependent<kernel>(...)     may begin before the launch before it has ended, when all of its blocks
//                                          have said dependents_launch or returned, if the code is for compute
//                                          capability 9.0 or newer (Queue::overlaps). So the kernel calls
//                                          dependency_wait
//   int resident_blocks<kernel>(int threads, int64_t shared_bytes)   per multiprocessor
