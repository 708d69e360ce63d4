// AMX tiles: eight registers of up to 16 rows of 64 bytes. Included after simd/amxbf16.h, whose namespace it adds to.
//
// Before the first of the other functions, a thread configures how many rows each tile has; all of them have rows of 64
// bytes. It releases the tiles before its part of a call ends: the kernel saves 8 KiB more at every switch of threads
// while they are in use, and other libraries configure them their own way.
//
// Written as assembly, not with the intrinsics: those of GCC 12 do not say what memory they read and write, so that
// stores before a load of a tile, or of the configuration itself, may come after it or be left out.
#pragma once

#include <cstdint>

#include "bfloat16.h"

namespace gtr::cpu::GTR_TIER {
namespace {

constexpr int kTiles = 8;
constexpr int64_t kTileRowBytes = 64;
constexpr int kMaxTileRows = 16;

}  // namespace
}  // namespace gtr::cpu::GTR_TIER

#if defined(GTR_EMULATE_AMX)
#include "simd/tiles_emulated.h"
#else

namespace gtr::cpu::GTR_TIER {
namespace {

GTR_SIMD_INLINE void tiles_configure(const uint8_t (&rows)[kTiles]) {
  struct {
    uint8_t palette;
    uint8_t start_row;
    uint8_t reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
  } configuration{};
  configuration.palette = 1;
  for (int tile = 0; tile < kTiles; ++tile) {
    configuration.row_bytes[tile] = kTileRowBytes;
    configuration.rows[tile] = rows[tile];
  }
  asm volatile("ldtilecfg %0" : : "m"(configuration));
}

GTR_SIMD_INLINE void tiles_release() { asm volatile("tilerelease"); }

template <int kTile>
GTR_SIMD_INLINE void tile_zero() {
  asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
}

// Rows are `stride` bytes apart, here and in tile_store.
template <int kTile>
GTR_SIMD_INLINE void tile_load(const void* from, int64_t stride) {
  const auto* bytes = static_cast<const char*>(from);
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(bytes), "r"(stride), "i"(kTile), "m"(*(const char(*)[])bytes));
}

// The same without taking the place of other lines in the first-level cache.
template <int kTile>
GTR_SIMD_INLINE void tile_load_once(const void* from, int64_t stride) {
  const auto* bytes = static_cast<const char*>(from);
  asm volatile("tileloaddt1 (%0,%1,1), %%tmm%c2" : : "r"(bytes), "r"(stride), "i"(kTile), "m"(*(const char(*)[])bytes));
}

template <int kTile>
GTR_SIMD_INLINE void tile_store(void* to, int64_t stride) {
  auto* bytes = static_cast<char*>(to);
  asm volatile("tilestored %%tmm%c3, (%1,%2,1)" : "=m"(*(char(*)[])bytes) : "r"(bytes), "r"(stride), "i"(kTile));
}

// kSum[row][n] += x[row][2 k] w[k][2 n] + x[row][2 k + 1] w[k][2 n + 1] over the k of all rows of w, sums in float,
// x and w in bfloat16. Denormals count as zero.
template <int kSum, int kX, int kW>
GTR_SIMD_INLINE void tile_multiply_add() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSum), "i"(kX), "i"(kW));
}

}  // namespace
}  // namespace gtr::cpu::GTR_TIER

#endif
