// group_multiply against its documentation, which is PTX ISA's of wgmma.mma_async: "Register fragments and shared
// memory matrix layouts", swizzling by 128 bytes. Integers show where each element is read and written; random numbers
// show that sums of several k-steps have the bits of as many multiply_bf16, on which linear_hopper.h counts.
#include "check.h"

namespace gtr::cuda::tiles {
namespace {

constexpr int kGroup = 4 * kWarp;
constexpr int kRows = 64;
constexpr int kInputs = 64;
constexpr int kSteps = kInputs / 16;
constexpr int kRowBytes = 2 * kInputs;
constexpr int kCapability = 90;

// rows [count, 64] of global memory as group_multiply takes them.
__device__ void load_tile(const Bf16* rows, int count, unsigned char* tile) {
  for (int i = static_cast<int>(threadIdx.x); i < count * 8; i += kGroup) {
    const int row = i / 8;
    const int chunk = i % 8;
    store_16(tile + row * kRowBytes + 16 * (chunk ^ row % 8), load_16(rows + row * kInputs + 8 * chunk));
  }
}

// d += a b^T, k-steps first to 3: d [128][kColumns / 2], in and out; a [64, 64], b [kColumns, 64]. One block of 128
// threads, with the tiles' bytes and 1024 of dynamic shared memory.
template <int kColumns>
__global__ void group_multiply_kernel(const Bf16* a, const Bf16* b, float* d, int first) {
  auto* const a_tile = dynamic_shared_1024<unsigned char>();
  unsigned char* const b_tile = a_tile + kRows * kRowBytes;
  load_tile(a, kRows, a_tile);
  load_tile(b, kColumns, b_tile);
  fence_shared();
  block_sync();
  float sums[kColumns / 2];
  float* const own = d + threadIdx.x * (kColumns / 2);
  for (int i = 0; i < kColumns / 2; ++i) sums[i] = own[i];
  group_multiply_begin();
  for (int k = first; k < kSteps; ++k) group_multiply<kColumns>(sums, a_tile, b_tile, k);
  group_multiply_commit();
  group_multiply_wait<0>();
  for (int i = 0; i < kColumns / 2; ++i) own[i] = sums[i];
}

// The same by multiply_bf16. One block of 128 threads.
__global__ void multiply_kernel(const Bf16* a, const Bf16* b, float* d, int columns, int first) {
  const int group = lane_id() / 4;
  const int pair = lane_id() % 4 * 2;
  const auto two = [](const Bf16* row, int input) {
    return static_cast<uint32_t>(row[input].bits) | static_cast<uint32_t>(row[input + 1].bits) << 16;
  };
  for (int n = 0; n < columns / 8; ++n) {
    float* const own = d + threadIdx.x * static_cast<unsigned>(columns / 2) + 4 * n;
    float sums[4] = {own[0], own[1], own[2], own[3]};
    for (int k = first; k < kSteps; ++k) {
      const Bf16* const top = a + (16 * warp_id() + group) * kInputs;
      const Bf16* const bottom = top + 8 * kInputs;
      const Bf16* const column = b + (8 * n + group) * kInputs;
      const int at = 16 * k + pair;
      const Bf16x2 rows[4] = {two(top, at), two(bottom, at), two(top, at + 8), two(bottom, at + 8)};
      const Bf16x2 columns_of[2] = {two(column, at), two(column, at + 8)};
      multiply_bf16(sums, rows, columns_of);
    }
    for (int i = 0; i < 4; ++i) own[i] = sums[i];
  }
}

Bf16 bf16_of(float exact) { return {static_cast<uint16_t>(bits_of(exact) >> 16)}; }

// Row and column of D that element i of a thread is.
int row_of(int thread, int i) { return thread / 32 * 16 + thread % 32 / 4 + i % 4 / 2 * 8; }
int column_of(int thread, int i) { return i / 4 * 8 + thread % 4 * 2 + i % 2; }

template <int kColumns>
void check_columns(const char* layout, const char* sums) {
  constexpr int kSums = kColumns / 2;
  constexpr int64_t kShared = (kRows + kColumns) * kRowBytes + 1024;
  std::mt19937 random(1);
  {
    Check check(layout);
    std::uniform_int_distribution<int> integer(-8, 8);
    for (int first = 0; first < kSteps; ++first) {
      std::vector<float> a(kRows * kInputs);
      std::vector<float> b(kColumns * kInputs);
      std::vector<float> d(kGroup * kSums);
      for (std::vector<float>* values : {&a, &b, &d}) {
        for (float& value : *values) value = static_cast<float>(integer(random));
      }
      std::vector<Bf16> narrow_a;
      std::vector<Bf16> narrow_b;
      for (const float value : a) narrow_a.push_back(bf16_of(value));
      for (const float value : b) narrow_b.push_back(bf16_of(value));
      Array<Bf16> a_array(narrow_a);
      Array<Bf16> b_array(narrow_b);
      Array<float> d_array(d);
      run<group_multiply_kernel<kColumns>>(1, kGroup, kShared, a_array.device(), b_array.device(), d_array.device(),
                                           first);
      const std::vector<float>& found = d_array.download();
      for (int thread = 0; thread < kGroup; ++thread) {
        for (int i = 0; i < kSums; ++i) {
          float expected = d[static_cast<size_t>(thread * kSums + i)];
          for (int k = 16 * first; k < kInputs; ++k) {
            expected += a[static_cast<size_t>(row_of(thread, i) * kInputs + k)] *
                        b[static_cast<size_t>(column_of(thread, i) * kInputs + k)];
          }
          check.bits(thread * kSums + i, bits_of(found[static_cast<size_t>(thread * kSums + i)]), bits_of(expected));
        }
      }
    }
  }
  Check check(sums);
  std::normal_distribution<float> normal;
  for (int round = 0; round < 16; ++round) {
    std::vector<Bf16> a(kRows * kInputs);
    std::vector<Bf16> b(kColumns * kInputs);
    std::vector<float> d(kGroup * kSums);
    // A few much larger than the others, so that what alignment cuts off shows.
    const auto draw = [&] { return normal(random) * (random() % 8 == 0 ? 1000.0f : 1.0f); };
    for (Bf16& value : a) value = bf16_of(draw());
    for (Bf16& value : b) value = bf16_of(draw());
    for (float& value : d) value = draw();
    Array<Bf16> a_array(a);
    Array<Bf16> b_array(b);
    Array<float> found(d);
    Array<float> expected(d);
    run<group_multiply_kernel<kColumns>>(1, kGroup, kShared, a_array.device(), b_array.device(), found.device(), 0);
    run<multiply_kernel>(1, kGroup, 0, a_array.device(), b_array.device(), expected.device(), kColumns, 0);
    found.download();
    expected.download();
    for (size_t i = 0; i < d.size(); ++i) {
      check.bits(static_cast<int64_t>(i), bits_of(found.host[i]), bits_of(expected.host[i]));
    }
  }
}

}  // namespace

void check_group_multiply() {
  int device = 0;
  cudaDeviceProp properties;
  require(cudaGetDevice(&device), "cudaGetDevice");
  require(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  if (10 * properties.major + properties.minor != kCapability) {
    std::printf("left out group_multiply, which compute capability 9.0 alone has\n");
    return;
  }
  check_columns<32>("group_multiply, 32 columns", "group_multiply, 32 columns, beside multiply_bf16");
  check_columns<64>("group_multiply, 64 columns", "group_multiply, 64 columns, beside multiply_bf16");
  check_columns<128>("group_multiply, 128 columns", "group_multiply, 128 columns, beside multiply_bf16");
  check_columns<192>("group_multiply, 192 columns", "group_multiply, 192 columns, beside multiply_bf16");
}

}  // namespace gtr::cuda::tiles
