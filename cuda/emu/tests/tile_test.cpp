// The tile functions against PTX ISA: "Matrix fragments for mma.m16n8k16 with floating point type" gives for each
// element of a lane's fragment its row and column, "ldmatrix" for each lane the row it addresses and the elements it
// gets. Here element by element as the manual has them; tiles.cpp computes register by register.
#include <cmath>
#include <random>

#include "test.h"

namespace gtr::cuda::test {
namespace {

struct Place {
  int row;
  int column;
};

// a_i of lane: row = groupID for 0 <= i < 2 || 4 <= i < 6, else groupID + 8; column = 2 threadID_in_group + (i & 1),
// and 8 more for i >= 4.
Place place_of_a(int lane, int i) {
  const int group = lane >> 2;
  const int thread = lane % 4;
  return {(i < 2 || (4 <= i && i < 6)) ? group : group + 8, thread * 2 + (i & 1) + (i >= 4 ? 8 : 0)};
}

// b_i: row = 2 threadID_in_group + (i & 1), and 8 more for i >= 2; column = groupID.
Place place_of_b(int lane, int i) { return {lane % 4 * 2 + (i & 1) + (i >= 2 ? 8 : 0), lane >> 2}; }

// c_i and d_i: row = groupID for i < 2, else groupID + 8; column = 2 threadID_in_group + (i & 1).
Place place_of_d(int lane, int i) { return {i < 2 ? lane >> 2 : (lane >> 2) + 8, lane % 4 * 2 + (i & 1)}; }

// Fragments as they lie in registers, lane after lane.
__global__ void multiply_kernel(const uint32_t* a, const uint32_t* b, float* d) {
  Bf16x2 a_registers[4];
  Bf16x2 b_registers[2];
  float d_registers[4];
  for (int i = 0; i < 4; ++i) a_registers[i] = a[threadIdx.x * 4 + i];
  for (int i = 0; i < 2; ++i) b_registers[i] = b[threadIdx.x * 2 + i];
  for (int i = 0; i < 4; ++i) d_registers[i] = d[threadIdx.x * 4 + i];
  multiply_bf16(d_registers, a_registers, b_registers);
  for (int i = 0; i < 4; ++i) d[threadIdx.x * 4 + i] = d_registers[i];
}

void test_multiply() {
  std::mt19937 random(5);
  constexpr int kWarps = 3;
  float a[kWarps][16][16];
  float b[kWarps][16][8];
  float d[kWarps][16][8];
  const auto small = [&] { return static_cast<float>(static_cast<int>(random() % 65) - 32); };
  for (int w = 0; w < kWarps; ++w) {
    for (auto& row : a[w]) {
      for (float& value : row) value = small();
    }
    for (auto& row : b[w]) {
      for (float& value : row) value = small();
    }
    for (auto& row : d[w]) {
      for (float& value : row) value = small();
    }
  }
  // Element i of a register's pair is in its lower half if i is even.
  std::vector<uint32_t> a_fragments(kWarps * 32 * 4);
  std::vector<uint32_t> b_fragments(kWarps * 32 * 2);
  std::vector<float> d_fragments(kWarps * 32 * 4);
  const auto put = [](std::vector<uint32_t>& fragments, int index, float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    EXPECT((bits & 0xffffu) == 0);
    fragments[static_cast<size_t>(index / 2)] |= index % 2 == 0 ? bits >> 16 : bits;
  };
  for (int thread = 0; thread < kWarps * 32; ++thread) {
    const int w = thread / 32;
    for (int i = 0; i < 8; ++i) {
      const Place p = place_of_a(thread % 32, i);
      put(a_fragments, thread * 8 + i, a[w][p.row][p.column]);
    }
    for (int i = 0; i < 4; ++i) {
      const Place p = place_of_b(thread % 32, i);
      put(b_fragments, thread * 4 + i, b[w][p.row][p.column]);
    }
    for (int i = 0; i < 4; ++i) {
      const Place p = place_of_d(thread % 32, i);
      d_fragments[static_cast<size_t>(thread * 4 + i)] = d[w][p.row][p.column];
    }
  }
  Array<uint32_t> a_device(a_fragments);
  Array<uint32_t> b_device(b_fragments);
  Array<float> d_device(d_fragments);
  run<multiply_kernel>(1, kWarps * 32, 0, a_device.data(), b_device.data(), d_device.data());
  d_device.download();
  for (int thread = 0; thread < kWarps * 32; ++thread) {
    for (int i = 0; i < 4; ++i) {
      const Place p = place_of_d(thread % 32, i);
      const int w = thread / 32;
      double expected = static_cast<double>(d[w][p.row][p.column]);
      for (int k = 0; k < 16; ++k)
        expected += static_cast<double>(a[w][p.row][k]) * static_cast<double>(b[w][k][p.column]);
      EXPECT(static_cast<double>(d_device.host[static_cast<size_t>(thread * 4 + i)]) == expected);
    }
  }
}

// NaN and infinity come through, and touch their own row and column alone.
void test_multiply_special() {
  std::vector<uint32_t> a(32 * 4, 0x3f803f80u);  // ones
  std::vector<uint32_t> b(32 * 2, 0x3f803f80u);
  a[5 * 4 + 1] = 0x3f807fc0u;  // lane 5, a2: row 1 + 8, column 2 is NaN
  Array<uint32_t> a_device(a);
  Array<uint32_t> b_device(b);
  Array<float> d(std::vector<float>(32 * 4, 1));
  run<multiply_kernel>(1, 32, 0, a_device.data(), b_device.data(), d.data());
  d.download();
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < 4; ++i) {
      const float value = d.host[static_cast<size_t>(lane * 4 + i)];
      EXPECT(place_of_d(lane, i).row == 9 ? std::isnan(value) : value == 17);
    }
  }
}

// Tiles lie in shared memory with rows `stride` elements apart, one behind the other; element (r, c) of tile t holds
// 64 t + 8 r + c.
template <int kTiles, bool kTransposed>
__global__ void load_kernel(uint32_t* registers, int stride) {
  auto* shared = dynamic_shared<uint16_t>();
  if (threadIdx.x == 0) {
    for (int i = 0; i < kTiles * 64; ++i) shared[(i / 8) * stride + i % 8] = static_cast<uint16_t>(i);
  }
  warp_sync();
  const int addressed = lane_id() % (kTiles * 8);  // two tiles: the addresses of the upper lanes do not matter
  uint32_t mine[kTiles];
  if constexpr (kTiles == 4 && kTransposed) load_matrix_x4_transposed(mine, shared + addressed * stride);
  if constexpr (kTiles == 4 && !kTransposed) load_matrix_x4(mine, shared + addressed * stride);
  if constexpr (kTiles == 2 && kTransposed) load_matrix_x2_transposed(mine, shared + addressed * stride);
  if constexpr (kTiles == 2 && !kTransposed) load_matrix_x2(mine, shared + addressed * stride);
  for (int i = 0; i < kTiles; ++i) registers[threadIdx.x * kTiles + static_cast<unsigned>(i)] = mine[i];
}

// Row r of a tile goes to lanes 4r .. 4r + 3, two elements each; transposed, column r does.
template <int kTiles, bool kTransposed>
void test_load(int stride) {
  Array<uint32_t> registers(32 * kTiles);
  run<load_kernel<kTiles, kTransposed>>(1, 32, kTiles * 8 * stride * 2, registers.data(), stride);
  registers.download();
  for (int tile = 0; tile < kTiles; ++tile) {
    for (int r = 0; r < 8; ++r) {
      for (int c = 0; c < 8; ++c) {
        const int row = kTransposed ? c : r;
        const int column = kTransposed ? r : c;
        const uint32_t pair = registers.host[static_cast<size_t>((row * 4 + column / 2) * kTiles + tile)];
        const uint32_t element = column % 2 == 0 ? pair & 0xffffu : pair >> 16;
        EXPECT(element == static_cast<uint32_t>(64 * tile + 8 * r + c));
      }
    }
  }
}

}  // namespace

void test_tiles() {
  test_multiply();
  test_multiply_special();
  for (const int stride : {8, 24, 72}) {
    test_load<4, false>(stride);
    test_load<4, true>(stride);
    test_load<2, false>(stride);
    test_load<2, true>(stride);
  }
}

}  // namespace gtr::cuda::test
