// Uses that device.h does not allow end as failures that say where, not as hangs or wrong results.
#include "test.h"

namespace gtr::cuda::test {
namespace {

__global__ void nothing_kernel() {}

__global__ void half_waits_kernel() {
  if (warp_id() == 0 && lane_id() == 0) {
    warp_sync();
  } else {
    block_sync();
  }
}

__global__ void two_barriers_kernel() {
  if (warp_id() == 0) {
    block_sync();
  } else {
    block_sync();
  }
}

__global__ void diverged_warp_kernel() {
  if (lane_id() < 16) {
    warp_sync();
  } else {
    shuffle(1, 0);
  }
}

__global__ void returned_lane_kernel() {
  if (lane_id() == 31) return;
  warp_sync();
}

__global__ void partial_warp_kernel(int32_t* out) {
  const int32_t value = shuffle(1, 0);
  *out = value;
}

__global__ void barrier_after_return_kernel() {
  if (threadIdx.x == 0) warp_sync();
  if (warp_id() == 0) return;
  block_sync();
}

__global__ void load_outside_kernel(const uint4* global) {
  uint32_t r[4];
  load_matrix_x4(r, global + lane_id());
}

__global__ void load_behind_kernel() {
  auto* shared = dynamic_shared<uint16_t>();
  uint32_t r[4];
  load_matrix_x4(r, shared + lane_id() * 8);  // 32 rows of 16 bytes where 31 were asked for
}

__global__ void load_misaligned_kernel() {
  auto* shared = dynamic_shared<uint16_t>();
  uint32_t r[4];
  load_matrix_x4(r, shared + lane_id() * 4);
}

__global__ void load_behind_two_kernel() {
  auto* shared = dynamic_shared<uint16_t>();
  uint32_t r[2];
  load_matrix_x2(r, lane_id() < 16 ? shared + lane_id() * 8 : nullptr);  // the upper lanes' are not looked at
}

__global__ void misaligned_store_kernel(uint32_t* out) { store_16(out + 1, make_uint4(1, 2, 3, 4)); }
__global__ void misaligned_load_kernel(uint32_t* out) { out[0] = load_16(out + 2).x; }
__global__ void streaming_load_kernel(const void* in, uint32_t* out) { out[0] = load_streaming_16(in).x; }

__global__ void too_many_arrays_kernel() {
  GTR_SHARED(uint4, first, 3000);
  GTR_SHARED(uint4, second, 100);
  first[0] = second[0] = {};
}

#if !defined(__SANITIZE_ADDRESS__)
__global__ void behind_array_kernel(int32_t index) {
  GTR_SHARED(int32_t, array, 5);
  array[index] = 1;
}

__global__ void behind_dynamic_kernel(int32_t index) { dynamic_shared<int32_t>()[index] = 1; }
#endif

__global__ void no_dynamic_kernel(float* out) { out[0] = dynamic_shared<float>()[0]; }

__global__ void grid_sync_kernel(GridBarrier* barrier) { grid_sync(*barrier); }

__global__ void grid_sync_after_return_kernel(GridBarrier* barrier) {
  if (threadIdx.x == 5) return;
  grid_sync(*barrier);
}

__global__ void grid_sync_one_block_kernel(GridBarrier* barrier) {
  if (blockIdx.x == 1) return;
  grid_sync(*barrier);
}

void test_divergence() {
  run_failing<half_waits_kernel>("deadlock: 63 threads wait in block_sync at refusal_test.cpp:", false, 1, 64, 0);
  run_failing<two_barriers_kernel>("a block has diverged", false, 1, 64, 0);
  run_failing<diverged_warp_kernel>("a warp has diverged", false, 1, 32, 0);
  run_failing<returned_lane_kernel>("", false, 1, 32, 0);
  run_failing<partial_warp_kernel>("not all 32 lanes are there", false, 1, 20, 0, static_cast<int32_t*>(nullptr));
  run_failing<barrier_after_return_kernel>("", false, 1, 64, 0);
  const std::string message = gtr_emu_last_failure();
  EXPECT(message.find("kernel ") == 0 && message.find("barrier_after_return_kernel") != std::string::npos);
}

void test_addresses() {
  Array<uint4> memory(std::vector<uint4>(32));
  auto* words = reinterpret_cast<uint32_t*>(memory.data());
  run_failing<load_outside_kernel>("lane 0's row does not lie in the block's shared memory", false, 1, 32, 0,
                                   memory.data());
  run_failing<load_behind_kernel>("lane 31's row does not lie in the block's shared memory", false, 1, 32, 31 * 16);
  run_failing<load_misaligned_kernel>("lane 1's row is not aligned to 16", false, 1, 32, 1024);
  run<load_behind_two_kernel>(1, 32, 16 * 16);
  run_failing<load_behind_two_kernel>("lane 15's row", false, 1, 32, 15 * 16);
  run_failing<misaligned_store_kernel>("not aligned to 16", false, 1, 1, 0, words);
  run_failing<misaligned_load_kernel>("not aligned to 16", false, 1, 1, 0, words);
  run<streaming_load_kernel>(1, 1, 0, memory.data(), words);
  alignas(16) static uint32_t on_the_host[4];
  run_failing<streaming_load_kernel>("not that of global memory", false, 1, 1, 0, &on_the_host, words);
}

void test_shared_limits() {
  run_failing<too_many_arrays_kernel>("bytes of shared arrays; 49152 are allowed", false, 1, 1, 0);
  run_failing<no_dynamic_kernel>("a launch without dynamic shared memory", false, 1, 1, 0,
                                 static_cast<float*>(nullptr));
#if !defined(__SANITIZE_ADDRESS__)
  run<behind_array_kernel>(1, 1, 0, 4);
  run_failing<behind_array_kernel>("written behind a shared array", false, 1, 1, 0, 5);
  run<behind_dynamic_kernel>(1, 1, 24, 5);
  run_failing<behind_dynamic_kernel>("written behind a shared array", false, 1, 1, 24, 6);
#endif
}

void test_grids() {
  Array<GridBarrier> zero(std::vector<GridBarrier>{{0, 0}});
  Array<GridBarrier> used(std::vector<GridBarrier>{{1, 0}});
  run_failing<grid_sync_kernel>("not cooperative", false, 1, 32, 0, zero.data());
  run_failing<grid_sync_kernel>("was not zeroed", true, 2, 32, 0, used.data());
  run_failing<grid_sync_after_return_kernel>("", true, 2, 32, 0, zero.data());
  run_failing<grid_sync_one_block_kernel>("", true, 2, 32, 0, zero.data());
  static GridBarrier on_the_host;
  run_failing<grid_sync_kernel>("does not lie in global memory", true, 2, 32, 0, &on_the_host);
}

// Refused when launched, as the driver does; the device lives on.
void test_configurations() {
  const auto refused = [](cudaError_t error, bool cooperative, dim3 grid, int threads, int64_t shared_bytes) {
    Stream stream;
    if (cooperative) {
      launch_cooperative<nothing_kernel>(stream.queue, grid, threads, shared_bytes);
    } else {
      launch<nothing_kernel>(stream.queue, grid, threads, shared_bytes);
    }
    EXPECT(stream.queue.error == error);
    EXPECT_OK(cudaStreamSynchronize(stream.queue.stream));
    EXPECT(cudaGetLastError() == error && cudaGetLastError() == cudaSuccess);
  };
  const int64_t most = emu::settings().shared_bytes;
  refused(cudaErrorInvalidConfiguration, false, 1, 1025, 0);
  refused(cudaErrorInvalidConfiguration, false, 1, 0, 0);
  refused(cudaErrorInvalidConfiguration, false, dim3(1, 65536), 32, 0);
  refused(cudaErrorInvalidConfiguration, false, dim3(1, 1, 65536), 32, 0);
  refused(cudaErrorInvalidValue, false, 1, 32, most + 1);
  const auto resident =
      static_cast<unsigned>(resident_blocks<nothing_kernel>(1024, most / 2) * emu::settings().multiprocessors);
  EXPECT(resident > 0);
  refused(cudaErrorCooperativeLaunchTooLarge, true, resident + 1, 1024, most / 2);
  run<nothing_kernel>(1, 1024, most);
  run<nothing_kernel>(dim3(0), 32, int64_t{0});  // an empty grid is no launch
}

}  // namespace

void test_refusals() {
  test_divergence();
  test_addresses();
  test_shared_limits();
  test_grids();
  test_configurations();
}

}  // namespace gtr::cuda::test
