// The rows of each image with the highest scores. A block finds a segment's threshold, the row that ranks just behind
// the selected ones, bit by bit from the highest: with each bit it counts the rows that rank before the candidate. That
// takes as many passes over the segment as it takes bits to tell those rows apart, at most 96 and about 20 for scores
// that differ, whatever the segment's length, where ranking every row against every other would be quadratic.
#include <algorithm>
#include <cstdint>

#include "device.h"
#include "operations.h"

namespace gtr::cuda {
namespace {

constexpr int kMaxThreads = 1024;
constexpr int kMaxWarps = kMaxThreads / kWarp;
constexpr int kKeyWords = 3;

// Kernel parameters have room for 4 KiB: so many segments go into a launch by value, and nothing is copied.
constexpr int kSegmentsPerLaunch = 192;
struct Segments {
  gtr_segment at[kSegmentsPerLaunch];
};
static_assert(sizeof(Segments) <= 3840, "and the tensors besides");

struct TopFraction {
  const uint32_t* score;  // [rows], the bits of floats
  const uint32_t* cell;   // [rows]
  int32_t* place;         // [places]
  int64_t score_stride;
  int64_t cell_stride;
  int64_t place_stride;
};

// What a row is ranked by, the words in this order: smaller keys rank before. No two rows have the same.
struct Key {
  uint32_t word[kKeyWords];  // the score's rank, the cell, the row
};

__device__ __forceinline__ bool ranks_before(const Key& a, const Key& b) {
  if (a.word[0] != b.word[0]) return a.word[0] < b.word[0];
  if (a.word[1] != b.word[1]) return a.word[1] < b.word[1];
  return a.word[2] < b.word[2];
}

// Of a float's bits: the higher the float, the lower; both zeros alike; every NaN alike behind all others.
__device__ __forceinline__ uint32_t rank_of_score(uint32_t bits) {
  constexpr uint32_t kSign = 0x80000000u;
  constexpr uint32_t kInfinity = 0x7f800000u;
  const uint32_t magnitude = bits & ~kSign;
  if (magnitude > kInfinity) return 0xffffffffu;
  if (magnitude == 0) return kSign - 1;
  return bits & kSign ? bits : kSign - 1 - magnitude;
}

__device__ __forceinline__ Key key_of(const TopFraction& p, int64_t row) {
  return {{rank_of_score(p.score[row * p.score_stride]), p.cell[row * p.cell_stride], static_cast<uint32_t>(row)}};
}

// Block. The sum over all threads. totals: room for one number a warp that no thread has read since the last barrier
// but one, so callers alternate between two.
__device__ __forceinline__ int32_t block_sum(int32_t value, int32_t* totals) {
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  if (lane_id() == 0) totals[warp_id()] = value;
  block_sync();
  int32_t sum = lane_id() < warps ? totals[lane_id()] : 0;
  for (int mask = kWarp / 2; mask > 0; mask /= 2) sum += shuffle_xor(sum, mask);
  return sum;
}

// place[selected_at ..] = the segment's `selected` rows that rank first, place[rest_at ..] = its others, both in
// ascending order. Launch: a block of up to kMaxThreads threads for each segment.
__global__ void __launch_bounds__(kMaxThreads) select_rows(TopFraction p, Segments segments) {
  GTR_SHARED(int32_t, totals, 2 * kMaxWarps);
  const gtr_segment& segment = segments.at[blockIdx.x];
  const int threads = static_cast<int>(blockDim.x);
  const int thread = static_cast<int>(threadIdx.x);
  int pass = 0;
  const auto next_totals = [&] { return totals + (pass++ & 1) * kMaxWarps; };

  // The largest key before which at most `selected` rows rank: exactly so many, since keys differ and a row is never
  // the largest of numbers.
  Key threshold{};
  int32_t before = 0;
#pragma unroll
  for (int word = 0; word < kKeyWords; ++word) {
    for (uint32_t bit = 0x80000000u; bit != 0 && before < segment.selected; bit >>= 1) {
      Key candidate = threshold;
      candidate.word[word] |= bit;
      int32_t count = 0;
      for (int64_t i = thread; i < segment.count; i += threads) {
        count += ranks_before(key_of(p, segment.first + i), candidate) ? 1 : 0;
      }
      count = block_sum(count, next_totals());
      if (count > segment.selected) continue;
      threshold = candidate;
      before = count;
    }
  }

  // Every thread goes along until all are done, since the warps count together.
  int32_t selected_before = 0;
  for (int64_t first = 0; first < segment.count; first += threads) {
    const int64_t i = first + thread;
    const int64_t row = segment.first + i;
    const bool here = i < segment.count;
    const bool chosen = here && ranks_before(key_of(p, row), threshold);
    const uint32_t votes = ballot(chosen);
    int32_t* const counts = next_totals();
    if (lane_id() == 0) counts[warp_id()] = popcount(votes);
    block_sync();
    int32_t rank = selected_before + popcount(votes & ((1u << lane_id()) - 1));
    for (int warp = 0; warp < threads / kWarp; ++warp) {
      if (warp < warp_id()) rank += counts[warp];
      selected_before += counts[warp];
    }
    if (!here) continue;
    const int64_t at = chosen ? segment.selected_at + rank : segment.rest_at + (i - rank);
    p.place[at * p.place_stride] = static_cast<int32_t>(row);
  }
}

}  // namespace

// The segments' keys are read where they are.
int64_t top_fraction_scratch_size(int64_t) noexcept { return 0; }

void top_fraction(Context& context, const gtr_tensor& score, const gtr_tensor& cell, const gtr_segment* segments,
                  int64_t segment_count, const gtr_tensor& place, void*) noexcept {
  const TopFraction p{static_cast<const uint32_t*>(score.data),
                      static_cast<const uint32_t*>(cell.data),
                      static_cast<int32_t*>(place.data),
                      score.stride[0],
                      cell.stride[0],
                      place.stride[0]};
  for (int64_t first = 0; first < segment_count; first += kSegmentsPerLaunch) {
    const auto count = static_cast<int>(std::min<int64_t>(kSegmentsPerLaunch, segment_count - first));
    Segments batch{};
    std::copy_n(segments + first, count, batch.at);
    int32_t longest = 1;
    for (int i = 0; i < count; ++i) longest = std::max(longest, batch.at[i].count);
    const int threads = (std::min(longest, kMaxThreads) + kWarp - 1) / kWarp * kWarp;
    launch<select_rows>(context.queue, dim3(static_cast<unsigned>(count)), threads, 0, p, batch);
  }
}

}  // namespace gtr::cuda
