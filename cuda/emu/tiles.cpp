#include "tiles.h"

#include <cstring>

namespace gtr::cuda::emu {
namespace {

constexpr int kM = 16;
constexpr int kN = 8;
constexpr int kK = 16;

typedef float Row __attribute__((vector_size(kN * sizeof(float))));

uint16_t element(const void* row, int column) {
  uint16_t bits;
  std::memcpy(&bits, static_cast<const unsigned char*>(row) + column * static_cast<int>(sizeof bits), sizeof bits);
  return bits;
}

}  // namespace

void multiply_tiles(MultiplyOperand* const (&lanes)[kWarp]) {
  float a[kM][kK];
  float b[kK][kN];
  Row d[kM];
  for (int lane = 0; lane < kWarp; ++lane) {
    const MultiplyOperand& operand = *lanes[lane];
    const int group = lane / 4;
    const int pair = lane % 4 * 2;
    for (int i = 0; i < 4; ++i) {
      const float2 values = unpack_bf16(operand.a[i]);
      float* at = &a[group + i % 2 * 8][pair + i / 2 * 8];
      at[0] = values.x;
      at[1] = values.y;
    }
    for (int i = 0; i < 2; ++i) {
      const float2 values = unpack_bf16(operand.b[i]);
      b[pair + i * 8][group] = values.x;
      b[pair + i * 8 + 1][group] = values.y;
    }
    for (int i = 0; i < 4; ++i) d[group + i / 2 * 8][pair + i % 2] = operand.d[i];
  }
  Row columns[kK];
  std::memcpy(columns, b, sizeof b);
  for (int m = 0; m < kM; ++m) {
    Row sum = d[m];
    for (int k = 0; k < kK; ++k) sum += a[m][k] * columns[k];
    d[m] = sum;
  }
  for (int lane = 0; lane < kWarp; ++lane) {
    for (int i = 0; i < 4; ++i) lanes[lane]->d[i] = d[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2];
  }
}

void load_tiles(LoadMatrixOperand* const (&lanes)[kWarp]) {
  const int tiles = lanes[0]->tiles;
  for (int lane = 0; lane < kWarp; ++lane) {
    const int group = lane / 4;
    const int pair = lane % 4 * 2;
    for (int tile = 0; tile < tiles; ++tile) {
      const auto row = [&](int r) { return lanes[tile * 8 + r]->row; };
      const uint16_t low = lanes[0]->transposed ? element(row(pair), group) : element(row(group), pair);
      const uint16_t high = lanes[0]->transposed ? element(row(pair + 1), group) : element(row(group), pair + 1);
      lanes[lane]->registers[tile] = static_cast<uint32_t>(low) | static_cast<uint32_t>(high) << 16;
    }
  }
}

}  // namespace gtr::cuda::emu
