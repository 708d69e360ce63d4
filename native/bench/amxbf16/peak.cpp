// Peak loops of the AMX tier: f32 is AVX-512's, bf16 is tdpbf16ps on four tiles of sums, as many as independent
// products of two tiles by two have.
#include "peak.h"

#include "simd/amxbf16.h"
#include "simd/tiles.h"

namespace gtr::bench::amxbf16 {
namespace {

using namespace gtr::cpu::amxbf16;

constexpr int64_t kTileFlops = 2 * kMaxTileRows * 16 * 32;  // of a product: rows, columns, inputs

// Fills a tile's memory with bfloat16 of either sign between 1/2 and 2, never the same for two seeds. Zeros and other
// constants would be multiplied faster: they take less power, and the processor's frequency follows.
void fill(uint32_t seed, uint16_t (&values)[kMaxTileRows * 32]) {
  for (uint16_t& value : values) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<uint16_t>((seed >> 31) << 15 | (0x3f00u + (seed >> 16 & 0xffu)));
  }
}

float multiply_loop(int64_t rounds) {
  constexpr uint8_t kRows = kMaxTileRows;
  alignas(64) uint16_t values[4][kMaxTileRows * 32];
  for (uint32_t i = 0; i < 4; ++i) fill(i + 1, values[i]);
  tiles_configure({kRows, kRows, kRows, kRows, kRows, kRows, kRows, kRows});
  tile_zero<0>();
  tile_zero<1>();
  tile_zero<2>();
  tile_zero<3>();
  tile_load<4>(values[0], kTileRowBytes);
  tile_load<5>(values[1], kTileRowBytes);
  tile_load<6>(values[2], kTileRowBytes);
  tile_load<7>(values[3], kTileRowBytes);
  for (int64_t round = 0; round < rounds; ++round) {
    tile_multiply_add<0, 4, 6>();
    tile_multiply_add<1, 4, 7>();
    tile_multiply_add<2, 5, 6>();
    tile_multiply_add<3, 5, 7>();
  }
  alignas(64) float sums[4][kMaxTileRows * 16];
  tile_store<0>(sums[0], kTileRowBytes);
  tile_store<1>(sums[1], kTileRowBytes);
  tile_store<2>(sums[2], kTileRowBytes);
  tile_store<3>(sums[3], kTileRowBytes);
  tiles_release();
  return sums[0][0] + sums[1][0] + sums[2][0] + sums[3][0];
}

}  // namespace

extern const PeakLoops kPeakLoops = {avx512::kPeakLoops.f32, avx512::kPeakLoops.f32_flops_per_round, multiply_loop,
                                     4 * kTileFlops, avx512::kPeakLoops.read};

}  // namespace gtr::bench::amxbf16
