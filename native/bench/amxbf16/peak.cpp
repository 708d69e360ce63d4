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
constexpr int64_t kStepScores = 4 * kTileScores;    // of two tiles of queries and two of keys
constexpr int64_t kLag = 3 * kStepScores;           // from a product to who needs it, so that nobody waits for memory
constexpr int64_t kGroup = 4 * kLanes;              // scores whose weights are found at once
constexpr int64_t kKeys = 320;
static_assert(kStepScores == 16 * kGroup && kScores % kStepScores == 0);

// Both products of attention and its softmax, of two tiles of queries and two of keys at a time. Scores leave tiles by
// memory and weights come back by it, since there is no other way; keys and values, [kKeys, head dim] each, are read
// once for two tiles of queries. Everything that could be done between products is: the maxima and weights of other
// scores.
template <int kHeadDim>
float attention_loop(const void* operands, int64_t rounds) {
  constexpr int64_t kBytes = kKeys * kHeadDim * 2;
  const char* const keys = static_cast<const char*>(operands);
  const char* const values = keys + kBytes;
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
    weigh<PairProducts, 4>(scores, at, broadcast(0.0f), broadcast(1.0f / 16), weights, total);
  };
  constexpr int64_t kTileBytes = kMaxTileRows * kTileRowBytes;
  int64_t key = 0;
  int64_t value = 0;
  const auto next = [](int64_t & at) __attribute__((always_inline)) {
    const int64_t current = at;
    at = at + kTileBytes == kBytes ? 0 : at + kTileBytes;
    return current;
  };
  for (int64_t round = 0; round < rounds; ++round) {
    for (int64_t at = 0; at < kScores; at += kStepScores) {
      const int64_t found = (at + kLag) % kScores;
      const float* const used = weights + (at + kScores - kLag) % kScores / 2;
      int64_t group = at;
      const auto soften_next = [&]() __attribute__((always_inline)) {
        soften(group);
        group += kGroup;
      };
      tile_zero<0>();
      tile_zero<1>();
      tile_zero<2>();
      tile_zero<3>();
      // A product takes as long with fewer than 32 inputs: 80 are three. Half of the groups go with two of them, the
      // other half with the values.
      for (int step = 0; step < (kHeadDim + 31) / 32; ++step) {
        tile_load<6>(keys + next(key), kTileRowBytes);
        tile_multiply_add<0, 4, 6>();
        if (step < 2) soften_next();
        tile_multiply_add<1, 5, 6>();
        if (step < 2) soften_next();
        tile_load<7>(keys + next(key), kTileRowBytes);
        tile_multiply_add<2, 4, 7>();
        if (step < 2) soften_next();
        tile_multiply_add<3, 5, 7>();
        if (step < 2) soften_next();
      }
      tile_store<0>(scores + found, kTileRowBytes);
      tile_store<1>(scores + found + kTileScores, kTileRowBytes);
      tile_store<2>(scores + found + 2 * kTileScores, kTileRowBytes);
      tile_store<3>(scores + found + 3 * kTileScores, kTileRowBytes);
      for (int column = 0; column < 4; column += 2) {
        tile_load<4>(used, kTileRowBytes);
        tile_load<5>(used + kTileScores, kTileRowBytes);
        tile_load<6>(values + next(value), kTileRowBytes);
        tile_multiply_add<0, 4, 6>();
        soften_next();
        tile_multiply_add<1, 5, 6>();
        soften_next();
        tile_load<7>(values + next(value), kTileRowBytes);
        tile_multiply_add<2, 4, 7>();
        soften_next();
        tile_multiply_add<3, 5, 7>();
        soften_next();
      }
      if constexpr (kHeadDim == 80) {
        tile_load<6>(values + next(value), kTileRowBytes);
        tile_multiply_add<0, 4, 6>();
        tile_multiply_add<1, 5, 6>();
      }
    }
    asm volatile("" : : "r"(weights) : "memory");
  }
  alignas(64) float sums[kMaxTileRows * 16];
  tile_store<2>(sums, kTileRowBytes);
  tiles_release();
  return sums[0] + sum(total) + maximum(max(max(highest[0], highest[1]), max(highest[2], highest[3])));
}

template <int kHeadDim>
constexpr CachedLoop attention() {
  static_assert(kHeadDim == 64 || kHeadDim == 80);
  return {attention_loop<kHeadDim>, 2 * kKeys * kHeadDim * 2, 2 * 2 * kScores * kHeadDim};
}

}  // namespace

extern const PeakLoops kPeakLoops = {avx512::kPeakLoops.f32,
                                     avx512::kPeakLoops.f32_flops_per_round,
                                     multiply_loop,
                                     4 * kTileFlops,
                                     avx512::kPeakLoops.read,
                                     {cached_multiply_loop, kCachedRows* kRowBytes + kCachedPanels* kPanelBytes,
                                      2 * kCachedRows* kInputs* kCachedPanels * 32},
                                     attention<64>(),
                                     attention<80>()};

}  // namespace gtr::bench::amxbf16
