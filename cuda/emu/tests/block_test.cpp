// Threads of a block, of a warp and of a grid: order, barriers, shuffles, shared memory.
#include <algorithm>
#include <cmath>

#include "test.h"

namespace gtr::cuda::test {
namespace {

using emu::Order;

// ---- a sum of all values by each block

__global__ void sum_kernel(const float* values, int count, float* sums) {
  GTR_SHARED(float, parts, 32);
  float mine = 0;
  for (int i = static_cast<int>(threadIdx.x); i < count; i += static_cast<int>(blockDim.x)) mine += values[i];
  for (int mask = 16; mask > 0; mask /= 2) mine += shuffle_xor(mine, mask);
  if (lane_id() == 0) parts[warp_id()] = mine;
  block_sync();
  if (threadIdx.x == 0) {
    float total = 0;
    for (unsigned w = 0; w < blockDim.x / kWarp; ++w) total += parts[w];
    sums[blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z)] = total;
  }
}

void test_sum() {
  std::vector<float> values;
  float expected = 0;
  for (int i = 0; i < 1000; ++i) {
    values.push_back(static_cast<float>(i % 7));
    expected += values.back();
  }
  Array<float> input(values);
  for (const int threads : {32, 256, 1024}) {
    Array<float> sums(2 * 3 * 4);
    run<sum_kernel>(dim3(2, 3, 4), threads, 0, input.data(), 1000, sums.data());
    for (const float sum : sums.download()) EXPECT(sum == expected);
  }
}

// ---- the order of threads and blocks: each takes a number

__global__ void take_numbers_kernel(int32_t* counter, int32_t* numbers) {
  const auto self = static_cast<int32_t>(blockIdx.x * blockDim.x + threadIdx.x);
  const int32_t number = *counter;
  EXPECT(atomic_compare_swap(counter, number, number + 1) == number);
  numbers[self] = number;
}

void test_order() {
  constexpr int32_t kThreads = 96;
  constexpr int32_t kBlocks = 5;
  Array<int32_t> counter(std::vector<int32_t>{0});
  Array<int32_t> numbers(kThreads * kBlocks);
  run<take_numbers_kernel>(kBlocks, kThreads, 0, counter.data(), numbers.data());
  std::vector<int32_t> taken = numbers.download();
  std::vector<int32_t> ascending(taken.size());
  for (size_t i = 0; i < taken.size(); ++i) ascending[i] = static_cast<int32_t>(i);
  std::vector<int32_t> descending(ascending.rbegin(), ascending.rend());
  switch (emu::settings().order) {
    case Order::kForward:
      EXPECT(taken == ascending);
      break;
    case Order::kReverse:
      EXPECT(taken == descending);
      break;
    case Order::kShuffled:
      EXPECT(taken != ascending && taken != descending);
      std::sort(taken.begin(), taken.end());
      EXPECT(taken == ascending);
      break;
  }
}

// ---- barriers

// Each thread hands its number to its mirror image; without a barrier in between, half of them come too early.
template <bool kWithBarrier>
__global__ void mirror_kernel(float* values) {
  float* shared = dynamic_shared<float>();
  shared[threadIdx.x] = static_cast<float>(threadIdx.x);
  if (kWithBarrier) block_sync();
  values[threadIdx.x] = shared[blockDim.x - 1 - threadIdx.x];
}

void test_barrier() {
  constexpr int kThreads = 160;
  Array<float> values(kThreads);
  run<mirror_kernel<true>>(1, kThreads, kThreads * 4, values.data());
  values.download();
  for (int i = 0; i < kThreads; ++i) EXPECT(values.host[static_cast<size_t>(i)] == kThreads - 1 - i);

  run<mirror_kernel<false>>(1, kThreads, kThreads * 4, values.data());
  values.download();
  const auto too_early = std::count_if(values.host.begin(), values.host.end(), [](float v) { return std::isnan(v); });
  EXPECT(too_early == kThreads / 2);
}

// A warp runs ahead to its next rendezvous, unless warp_sync holds it.
template <bool kWithSync>
__global__ void warp_mirror_kernel(float* values) {
  GTR_SHARED(float, shared, 64);
  shared[threadIdx.x] = static_cast<float>(threadIdx.x);
  if (kWithSync) warp_sync();
  values[threadIdx.x] = shared[threadIdx.x ^ 31u];
}

void test_warp_sync() {
  Array<float> values(64);
  run<warp_mirror_kernel<true>>(1, 64, 0, values.data());
  values.download();
  for (size_t i = 0; i < 64; ++i) EXPECT(values.host[i] == static_cast<float>(i ^ 31u));
  run<warp_mirror_kernel<false>>(1, 64, 0, values.data());
  values.download();
  EXPECT(std::any_of(values.host.begin(), values.host.end(), [](float v) { return std::isnan(v); }));
}

// Those that have returned are not waited for.
__global__ void early_return_kernel(int32_t* seen) {
  GTR_SHARED(int32_t, shared, 128);
  if (threadIdx.x >= 70) return;
  shared[threadIdx.x] = 1;
  block_sync();
  int32_t sum = 0;
  for (int i = 0; i < 70; ++i) sum += shared[i];
  seen[threadIdx.x] = sum;
}

void test_early_return() {
  Array<int32_t> seen(std::vector<int32_t>(128, 0));
  run<early_return_kernel>(1, 128, 0, seen.data());
  seen.download();
  for (size_t i = 0; i < 128; ++i) EXPECT(seen.host[i] == (i < 70 ? 70 : 0));
}

// ---- shared memory is fresh in every block, and an array of its own for every declaration and instantiation

template <int kTag>
__device__ int32_t touch(int32_t value) {
  GTR_SHARED(int32_t, mine, 32);
  const int32_t before = mine[threadIdx.x];
  mine[threadIdx.x] = value + kTag;
  return before;
}

__global__ void fresh_kernel(int32_t* found) {
  auto* dynamic = dynamic_shared<int32_t>();
  int32_t* mine = found + (blockIdx.x * 32 + threadIdx.x) * 4;
  mine[0] = touch<1>(100);
  mine[1] = touch<2>(200);
  mine[2] = touch<1>(300);
  mine[3] = dynamic[threadIdx.x];
  dynamic[threadIdx.x] = 7;
}

void test_fresh_shared() {
  Array<int32_t> found(3 * 32 * 4);
  run<fresh_kernel>(3, 32, 32 * 4, found.data());
  found.download();
  for (size_t i = 0; i < found.host.size(); i += 4) {
    EXPECT(found.host[i] == -1 && found.host[i + 1] == -1 && found.host[i + 2] == 101 && found.host[i + 3] == -1);
  }
}

__global__ void alignment_kernel(int32_t* misalignment) {
  GTR_SHARED(uint8_t, odd, 3);
  GTR_SHARED(uint4, wide, 2);
  odd[0] = 1;
  wide[0] = make_uint4(1, 2, 3, 4);
  *misalignment = static_cast<int32_t>(reinterpret_cast<uintptr_t>(wide) % 16 +
                                       reinterpret_cast<uintptr_t>(dynamic_shared<float>()) % 128);
}

void test_alignment() {
  for (const int64_t bytes : {4, 128, 1000, 227 << 10}) {
    Array<int32_t> misalignment(1);
    if (bytes + 100 > emu::settings().shared_bytes) continue;
    run<alignment_kernel>(1, 1, bytes, misalignment.data());
    EXPECT(misalignment.download()[0] == 0);
  }
}

// ---- within a warp

template <typename T>
__global__ void shuffle_kernel(T* results) {
  const int lane = lane_id();
  const auto value = static_cast<T>(1000 * warp_id() + lane);
  T* mine = results + threadIdx.x * 5;
  mine[0] = shuffle(value, (lane * 7 + 3) % 32);
  mine[1] = shuffle_xor(value, 5);
  mine[2] = shuffle_up(value, 3);
  mine[3] = shuffle_down(value, 16);
  mine[4] = static_cast<T>(ballot(lane % 3 == warp_id()) == (warp_id() == 0 ? 0x49249249u : 0x92492492u));
}

template <typename T>
void test_shuffles() {
  Array<T> results(64 * 5);
  run<shuffle_kernel<T>>(1, 64, 0, results.data());
  results.download();
  for (int thread = 0; thread < 64; ++thread) {
    const int lane = thread % 32;
    const auto of = [&](int source) { return static_cast<T>(1000 * (thread / 32) + source); };
    const T* mine = &results.host[static_cast<size_t>(thread) * 5];
    EXPECT(mine[0] == of((lane * 7 + 3) % 32));
    EXPECT(mine[1] == of(lane ^ 5));
    EXPECT(mine[2] == of(lane < 3 ? lane : lane - 3));
    EXPECT(mine[3] == of(lane < 16 ? lane + 16 : lane));
    EXPECT(mine[4] == 1);
  }
}

// ---- a grid

// Every round each block adds up what all blocks wrote in the round before.
__global__ void rounds_kernel(GridBarrier* barrier, int32_t* values, int rounds) {
  const unsigned blocks = gridDim.x;
  for (int round = 0; round < rounds; ++round) {
    int32_t sum = 0;
    for (unsigned b = 0; b < blocks; ++b) sum += values[static_cast<unsigned>(round) * blocks + b];
    if (threadIdx.x == 33) values[static_cast<unsigned>(round + 1) * blocks + blockIdx.x] = sum;
    grid_sync(*barrier);
  }
}

void test_grid_sync() {
  constexpr int kRounds = 4;
  const int blocks = resident_blocks<rounds_kernel>(96, 0) * emu::settings().multiprocessors;
  EXPECT(blocks >= 4);
  std::vector<int32_t> start(static_cast<size_t>(kRounds + 1) * 5, 0);
  for (size_t i = 0; i < 5; ++i) start[i] = 1;
  Array<int32_t> values(start);
  Array<GridBarrier> barrier(std::vector<GridBarrier>{{0, 0}});
  Stream stream;
  launch_cooperative<rounds_kernel>(stream.queue, 5, 96, 0, barrier.data(), values.data(), kRounds);
  EXPECT_OK(stream.wait());
  values.download();
  int32_t expected = 1;
  for (size_t round = 0; round <= kRounds; ++round, expected *= 5) {
    for (size_t b = 0; b < 5; ++b) EXPECT(values.host[round * 5 + b] == expected);
  }
}

// ---- arithmetic

__global__ void arithmetic_kernel(const float* values, int count, uint32_t* bits) {
  const auto i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < count) bits[i] = pack_bf16(values[i], -values[i]);
}

// The nearest of the bfloat16 around it, found by comparing distances.
uint16_t nearest_bf16(float value) {
  if (std::isnan(value)) return 0x7fff;
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const auto below = static_cast<uint16_t>(bits >> 16);
  const auto above = static_cast<uint16_t>(below + 1);
  if (std::isinf(value)) return below;
  const auto magnitude = [](uint16_t b) {  // infinity as the power of two that would follow
    return b % 0x8000 == 0x7f80 ? std::ldexp(1.0, 128) : std::fabs(static_cast<double>(to_float({b})));
  };
  const double x = std::fabs(static_cast<double>(value));
  const double down = x - magnitude(below);
  const double up = magnitude(above) - x;
  if (down == up) return below % 2 == 0 ? below : above;
  return down < up ? below : above;
}

void test_bf16() {
  std::vector<float> values;
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += 65521 * 17 + 1) {
    const auto low = static_cast<uint32_t>(bits);
    for (const uint32_t b : {low, (low & 0xffff0000u) | 0x8000u, (low & 0xffff0000u) | 0x7fffu}) {
      float value;
      std::memcpy(&value, &b, sizeof value);
      values.push_back(value);
    }
  }
  values.push_back(INFINITY);
  values.push_back(-INFINITY);
  Array<float> input(values);
  Array<uint32_t> packed(values.size());
  const auto count = static_cast<int>(values.size());
  run<arithmetic_kernel>(static_cast<unsigned>((count + 127) / 128), 128, 0, input.data(), count, packed.data());
  packed.download();
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT((packed.host[i] & 0xffffu) == nearest_bf16(values[i]));
    EXPECT(packed.host[i] >> 16 == nearest_bf16(-values[i]));
  }
}

void test_sincospi() {
  for (int eighth = -40; eighth <= 40; ++eighth) {
    const double x = eighth / 8.0;
    double s = 2;
    double c = 2;
    sincospi(x, &s, &c);
    EXPECT(std::fabs(s - std::sin(M_PI * x)) < 1e-14);
    EXPECT(std::fabs(c - std::cos(M_PI * x)) < 1e-14);
    if (eighth % 4 == 0) EXPECT(s == std::nearbyint(s) && c == std::nearbyint(c));
  }
}

}  // namespace

void test_blocks() {
  test_sum();
  test_order();
  test_barrier();
  test_warp_sync();
  test_early_return();
  test_fresh_shared();
  test_alignment();
  test_shuffles<int32_t>();
  test_shuffles<uint32_t>();
  test_shuffles<float>();
  test_grid_sync();
  test_bf16();
  test_sincospi();
}

}  // namespace gtr::cuda::test
