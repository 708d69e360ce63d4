// What simd/tiles.h does, without AMX: for machines that lack it, and for sanitizers, which see nothing of what its
// assembly reads and writes. Included by it; built with the CMake option GTR_EMULATE_AMX. Sums are rounded after every
// product, in no order that a processor promises, so only results within the error rule are the same.
#pragma once

namespace gtr::cpu::GTR_TIER {
namespace {

struct EmulatedTile {
  alignas(64) char rows[kMaxTileRows][kTileRowBytes];
  int count;  // of rows; 0 while not configured, so that whoever forgets it gets nothing
};

thread_local EmulatedTile emulated_tiles[kTiles];

inline void tiles_configure(const uint8_t (&rows)[kTiles]) {
  for (int tile = 0; tile < kTiles; ++tile) {
    __builtin_memset(emulated_tiles[tile].rows, 0, sizeof emulated_tiles[tile].rows);
    emulated_tiles[tile].count = rows[tile];
  }
}

inline void tiles_release() { tiles_configure({0, 0, 0, 0, 0, 0, 0, 0}); }

template <int kTile>
inline void tile_zero() {
  __builtin_memset(emulated_tiles[kTile].rows, 0, sizeof emulated_tiles[kTile].rows);
}

template <int kTile>
inline void tile_load(const void* from, int64_t stride) {
  EmulatedTile& tile = emulated_tiles[kTile];
  const char* row = static_cast<const char*>(from);
  for (int i = 0; i < tile.count; ++i, row += stride) {
    for (int64_t byte = 0; byte < kTileRowBytes; ++byte) tile.rows[i][byte] = row[byte];
  }
}

template <int kTile>
inline void tile_load_once(const void* from, int64_t stride) {
  tile_load<kTile>(from, stride);
}

template <int kTile>
inline void tile_store(void* to, int64_t stride) {
  const EmulatedTile& tile = emulated_tiles[kTile];
  char* row = static_cast<char*>(to);
  for (int i = 0; i < tile.count; ++i, row += stride) {
    for (int64_t byte = 0; byte < kTileRowBytes; ++byte) row[byte] = tile.rows[i][byte];
  }
}

// The element of a row that lies at `index` of the row's bfloat16, with denormals as zero.
inline float emulated_element(const char* row, int index) {
  Bfloat16 element;
  __builtin_memcpy(&element, row + 2 * index, sizeof element);
  return (element.bits & 0x7f80) == 0 ? 0.0f : to_float(element);
}

template <int kSum, int kX, int kW>
inline void tile_multiply_add() {
  EmulatedTile& sums = emulated_tiles[kSum];
  const EmulatedTile& x = emulated_tiles[kX];
  const EmulatedTile& w = emulated_tiles[kW];
  for (int row = 0; row < sums.count && row < x.count; ++row) {
    for (int n = 0; n < kTileRowBytes / 4; ++n) {
      float sum;
      __builtin_memcpy(&sum, &sums.rows[row][4 * n], sizeof sum);
      for (int k = 0; k < 2 * w.count; ++k) {
        sum += emulated_element(x.rows[row], k) * emulated_element(w.rows[k / 2], 2 * n + k % 2);
      }
      __builtin_memcpy(&sums.rows[row][4 * n], &sum, sizeof sum);
    }
  }
}

}  // namespace
}  // namespace gtr::cpu::GTR_TIER
