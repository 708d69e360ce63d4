// Attention with AMX: products of pairs of bfloat16 in tiles, the softmax with AVX-512 BF16.
#include "simd/amxbf16.h"
#include "simd/tiles.h"

#include "attention_kernels.h"

namespace gtr::cpu::amxbf16 {
namespace {

constexpr int kTileRows = 32;
constexpr int kTileVectors = 2;
constexpr bool kAlternate = false;

#include "attention_avx512.inl"
#include "attention_pairs.inl"

#include "attention_tiles.inl"

#include "attention_head.inl"

struct TileProducts : PairProducts {
  static constexpr int kStepUnits = kTileUnits;
};

void attend_in_tiles(const AttentionCall& call, const AttentionHead& head, int64_t first_query, int64_t queries,
                     const void* packed, void* work, const AttentionHead* next) {
  constexpr uint8_t kRows = kMaxTileRows;
  tiles_configure({kRows, kRows, kRows, kRows, kRows, kRows, kRows, kRows});
  attend<TileProducts>(call, head, first_query, queries, packed, work, next);
  tiles_release();
}

constexpr AttentionKernels kernels() {
  AttentionKernels kernels = kernels_with<TileProducts>();
  kernels.attend = attend_in_tiles;
  return kernels;
}

}  // namespace

extern constexpr AttentionKernels kAttentionBf16 = kernels();

}  // namespace gtr::cpu::amxbf16
