// Peak loops of the AMX tier: f32 is AVX-512's, bf16 is tdpbf16ps on four tiles of sums, as many as independent
// products of two tiles by two have.
#include "peak.h"

#include "simd/amxbf16.h"
#include "simd/tiles.h"

namespace gtr::bench::amxbf16 {
namespace {

using namespace gtr::cpu::amxbf16;

constexpr int64_t kTileFlops = 2 * kMaxTileRows * 16 * 32;  // of a product: rows, columns, inputs

float multiply_loop(int64_t rounds) {
  constexpr uint8_t kRows = kMaxTileRows;
  alignas(64) float ones[kMaxTileRows * 16];
  for (float& one : ones) one = 0x1.01p-63f;  // as two bfloat16, small enough that no sum overflows
  tiles_configure({kRows, kRows, kRows, kRows, kRows, kRows, kRows, kRows});
  tile_zero<0>();
  tile_zero<1>();
  tile_zero<2>();
  tile_zero<3>();
  tile_load<4>(ones, kTileRowBytes);
  tile_load<5>(ones, kTileRowBytes);
  tile_load<6>(ones, kTileRowBytes);
  tile_load<7>(ones, kTileRowBytes);
  for (int64_t round = 0; round < rounds; ++round) {
    tile_multiply_add<0, 4, 6>();
    tile_multiply_add<1, 4, 7>();
    tile_multiply_add<2, 5, 6>();
    tile_multiply_add<3, 5, 7>();
  }
  float total = 0;
  tile_store<0>(ones, kTileRowBytes);
  total += ones[0];
  tile_store<1>(ones, kTileRowBytes);
  total += ones[0];
  tile_store<2>(ones, kTileRowBytes);
  total += ones[0];
  tile_store<3>(ones, kTileRowBytes);
  total += ones[0];
  tiles_release();
  return total;
}

}  // namespace

extern const PeakLoops kPeakLoops = {avx512::kPeakLoops.f32, avx512::kPeakLoops.f32_flops_per_round, multiply_loop,
                                     4 * kTileFlops, avx512::kPeakLoops.read};

}  // namespace gtr::bench::amxbf16
