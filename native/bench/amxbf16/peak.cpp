// Peak loops of the AMX tier: f32 is AVX-512's, bf16 is tdpbf16ps on four tiles of sums, as many as independent
// products of two tiles by two have.
#include "peak.h"

#include "simd/amxbf16.h"
#include "simd/tiles.h"

#include "attention_kernels.h"

namespace gtr::bench::amxbf16 {
namespace {

using namespace gtr::cpu;
using namespace gtr::cpu::amxbf16;

// Of what attention packs, and of its softmax's buffers, none of which are used here.
constexpr int kTileRows = 1;
constexpr int kTileVectors = 2;

#include "attention_avx512.inl"
#include "attention_pairs.inl"

#include "attention_pack.inl"
#include "attention_softmax.inl"

constexpr int64_t kTileFlops = 2 * kMaxTileRows * 16 * 32;  // of a product: rows, columns, inputs

void begin_sums() {
  constexpr uint8_t kRows = kMaxTileRows;
  tiles_configure({kRows, kRows, kRows, kRows, kRows, kRows, kRows, kRows});
  tile_zero<0>();
  tile_zero<1>();
  tile_zero<2>();
  tile_zero<3>();
}

void load_operands() {
  alignas(64) uint16_t values[4][kMaxTileRows * 32];
  for (uint32_t i = 0; i < 4; ++i) fill_bf16(i + 1, values[i], kMaxTileRows * 32);
  tile_load<4>(values[0], kTileRowBytes);
  tile_load<5>(values[1], kTileRowBytes);
  tile_load<6>(values[2], kTileRowBytes);
  tile_load<7>(values[3], kTileRowBytes);
}

float multiply_loop(int64_t rounds) {
  begin_sums();
  load_operands();
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

// x [kCachedRows, kInputs], and panels of packed weights [kInputs / 2][32 pairs], each of which meets all rows: by two
// tiles of rows and two of columns at a time, as linear multiplies, but without sums that are stored. Rows do not take
// the place of weights in the first-level cache: this loop alone is faster so, linear is not.
constexpr int64_t kInputs = 768;
constexpr int64_t kCachedRows = 320;
constexpr int64_t kCachedPanels = 8;
constexpr int64_t kRowBytes = kInputs * 2;
constexpr int64_t kPanelBytes = kInputs / 2 * 2 * kTileRowBytes;

float cached_multiply_loop(const void* operands, int64_t rounds) {
  const char* const x = static_cast<const char*>(operands);
  const char* const panels = x + kCachedRows * kRowBytes;
  begin_sums();
  for (int64_t round = 0; round < rounds; ++round) {
    for (int64_t panel = 0; panel < kCachedPanels; ++panel) {
      for (int64_t row = 0; row < kCachedRows; row += 2 * kMaxTileRows) {
        const char* rows = x + row * kRowBytes;
        const char* weights = panels + panel * kPanelBytes;
        for (int64_t step = 0; step < kInputs / 32; ++step) {
          tile_load<6>(weights, 2 * kTileRowBytes);
          tile_load_once<4>(rows, kRowBytes);
          tile_multiply_add<0, 4, 6>();
          tile_load<7>(weights + kTileRowBytes, 2 * kTileRowBytes);
          tile_multiply_add<1, 4, 7>();
          tile_load_once<5>(rows + kMaxTileRows * kRowBytes, kRowBytes);
          tile_multiply_add<2, 5, 6>();
          tile_multiply_add<3, 5, 7>();
          rows += kTileRowBytes;
          weights += kMaxTileRows * 2 * kTileRowBytes;
        }
      }
    }
  }
  alignas(64) float sums[kMaxTileRows * 16];
  tile_store<0>(sums, kTileRowBytes);
  float total = sums[0];
  tile_store<1>(sums, kTileRowBytes);
  total += sums[0];
  tile_store<2>(sums, kTileRowBytes);
  total += sums[0];
  tile_store<3>(sums, kTileRowBytes);
  total += sums[0];
  tiles_release();
  return total;
}

constexpr int64_t kScores = 4096;                   // 16 KB
constexpr int64_t kTileScores = kMaxTileRows * 16;  // of one tile of scores
constexpr int64_t kGroup = 4 * kLanes;              // scores whose weights are found at once
static_assert(kTileScores == 4 * kGroup);

// Products on registers, for each tile of scores as many as it takes to find it and to use its weights, with
// attention's own maxima and weights between them, of scores between -8 and 0.
template <int kHeadDim>
float attention_loop(int64_t rounds) {
  alignas(64) float scores[kScores];
  alignas(64) float weights[kScores / 2];
  for (int64_t i = 0; i < kScores; ++i) scores[i] = static_cast<float>(i % 1024) / -128.0f;
  begin_sums();
  load_operands();
  Vec total = broadcast(0.0f);
  Vec highest[4] = {broadcast(kMinusInfinity), broadcast(kMinusInfinity), broadcast(kMinusInfinity),
                    broadcast(kMinusInfinity)};
  const auto soften = [&](int64_t at) __attribute__((always_inline)) {
    for (int i = 0; i < 4; ++i) highest[i] = max(load(scores + at + i * kLanes), highest[i]);
    weigh<PairProducts, 4>(scores, at, broadcast(0.0f), broadcast(1.0f), weights, total);
  };
  for (int64_t round = 0; round < rounds; ++round) {
    for (int64_t at = 0; at < kScores; at += kTileScores) {
      tile_multiply_add<0, 4, 6>();
      soften(at);
      tile_multiply_add<1, 4, 7>();
      soften(at + kGroup);
      tile_multiply_add<2, 5, 6>();
      soften(at + 2 * kGroup);
      tile_multiply_add<3, 5, 7>();
      soften(at + 3 * kGroup);
      // A product takes as long with fewer than 32 inputs: 80 are three for the scores, and two and a half for their
      // use.
      if constexpr (kHeadDim == 80) {
        tile_multiply_add<0, 4, 6>();
        if (at / kTileScores % 2 == 0) tile_multiply_add<1, 4, 7>();
      }
    }
    asm volatile("" : : "r"(weights) : "memory");
  }
  alignas(64) float sums[kMaxTileRows * 16];
  tile_store<0>(sums, kTileRowBytes);
  tiles_release();
  return sums[0] + sum(total) + maximum(max(max(highest[0], highest[1]), max(highest[2], highest[3])));
}

// Of both products of attention, per round.
template <int kHeadDim>
constexpr int64_t attention_flops() {
  static_assert(kHeadDim == 64 || kHeadDim == 80);
  return 2 * 2 * kScores * kHeadDim;
}

}  // namespace

extern const PeakLoops kPeakLoops = {avx512::kPeakLoops.f32,
                                     avx512::kPeakLoops.f32_flops_per_round,
                                     multiply_loop,
                                     4 * kTileFlops,
                                     avx512::kPeakLoops.read,
                                     cached_multiply_loop,
                                     kCachedRows* kRowBytes + kCachedPanels* kPanelBytes,
                                     2 * kCachedRows* kInputs* kCachedPanels * 32,
                                     attention_loop<64>,
                                     attention_loop<80>,
                                     attention_flops<64>(),
                                     attention_flops<80>()};

}  // namespace gtr::bench::amxbf16
