// Micro-kernels of `linear` for AMX: tiles of up to 32 rows by 32 columns, two of registers each way; a step is a pair
// of bfloat16 products, and a tile of registers takes a group of them. Packed x and weights are pairs of bfloat16 that
// travel as floats.
//
// Of the eight registers 0 to 3 hold sums, [rows][columns], 4 and 5 x, 6 and 7 weights.
#include "linear_kernels.h"
#include "simd/amxbf16.h"
#include "simd/tiles.h"

namespace gtr::cpu::amxbf16 {
namespace {

constexpr int kVectors = 2;

#include "linear_finish.inl"
#include "linear_pack.inl"

static_assert(kLinearGroup * 4 == kTileRowBytes, "a group of a row of x is a row of a tile");
static_assert(kColumns * 4 == 2 * kTileRowBytes, "a step of a panel's weights is a row of two tiles");

constexpr int64_t kMaxRows = 2 * kMaxTileRows;
constexpr int64_t kStepBytes = kColumns * 4;
constexpr int64_t kGroupBytes = kLinearGroup * kStepBytes;
constexpr int64_t kLine = 64;

// Rows in the first of the two tiles. A product takes as long with 9 rows as with fewer, so both get about as many.
constexpr int64_t upper_rows(int64_t rows) { return rows > kMaxTileRows ? (rows + 1) / 2 : rows; }

void configure(int64_t rows) {
  const auto upper = static_cast<uint8_t>(upper_rows(rows));
  const auto lower = static_cast<uint8_t>(rows - upper > 0 ? rows - upper : upper);
  // Where one tile of rows takes two panels, their sums are in 0 to 3 and their weights in 5 to 7.
  if (rows <= kMaxTileRows) {
    tiles_configure({upper, upper, upper, upper, upper, kMaxTileRows, kMaxTileRows, kMaxTileRows});
  } else {
    tiles_configure({upper, upper, lower, lower, upper, lower, kMaxTileRows, kMaxTileRows});
  }
}

void release() { tiles_release(); }

// Fetches what later calls read, some at a time.
class Fetch {
 public:
  explicit GTR_SIMD_INLINE Fetch(const LinearBlock& block) : next_(block.prefetch), lines_(block.prefetch_lines) {}
  GTR_SIMD_INLINE void group() {
    for (int64_t line = 0; line < lines_; ++line, next_ += kLine) __builtin_prefetch(next_, 0, 2);
  }

 private:
  const char* next_;
  const int64_t lines_;
};

// Fetches what finishing a row will write: y is seldom in a core's own caches.
GTR_SIMD_INLINE void prefetch_y_row(const LinearEpilogue& epilogue, int64_t row, int64_t column) {
  if (epilogue.y->dtype == GTR_BF16) {
    __builtin_prefetch(row_of<Bfloat16>(*epilogue.y, row, column), 1, 3);
  } else {
    const float* to = row_of<float>(*epilogue.y, row, column);
    __builtin_prefetch(to, 1, 3);
    __builtin_prefetch(to + kLanes, 1, 3);
  }
}

// A row of a whole panel, all registers at hand and nothing left to decide.
using FinishRow = void (*)(const LinearEpilogue& epilogue, int64_t row, int64_t column, const float* sums);

template <gtr_activation kActivation, Gate kGate, bool kResidual, bool kToBfloat16>
void finish_whole_row(const LinearEpilogue& epilogue, int64_t row, int64_t column, const float* sums) {
  constexpr EpilogueKind kKind{kActivation, kGate, kResidual, kToBfloat16};
#pragma GCC unroll 2
  for (int n = 0; n < kVectors; ++n) {
    finish_vector(kKind, epilogue, row, column, Columns<true>{kColumns}, sums, n);
  }
}

template <gtr_activation kActivation, Gate kGate>
FinishRow row_finisher(const EpilogueKind& kind) {
  if (kind.residual) {
    return kind.to_bfloat16 ? finish_whole_row<kActivation, kGate, true, true>
                            : finish_whole_row<kActivation, kGate, true, false>;
  }
  return kind.to_bfloat16 ? finish_whole_row<kActivation, kGate, false, true>
                          : finish_whole_row<kActivation, kGate, false, false>;
}

template <gtr_activation kActivation>
FinishRow row_finisher(const EpilogueKind& kind) {
  switch (kind.gate) {
    case Gate::kFloat:
      return row_finisher<kActivation, Gate::kFloat>(kind);
    case Gate::kBfloat16:
      return row_finisher<kActivation, Gate::kBfloat16>(kind);
    default:
      return row_finisher<kActivation, Gate::kNone>(kind);
  }
}

FinishRow row_finisher(const LinearEpilogue& epilogue) {
  const EpilogueKind kind = kind_of(epilogue);
  switch (kind.activation) {
    case GTR_ACTIVATION_GELU:
      return row_finisher<GTR_ACTIVATION_GELU>(kind);
    case GTR_ACTIVATION_SILU:
      return row_finisher<GTR_ACTIVATION_SILU>(kind);
    default:
      return row_finisher<GTR_ACTIVATION_NONE>(kind);
  }
}

// Finishes another tile of sums between the products, as many rows per group as it takes.
class Finish {
 public:
  explicit GTR_SIMD_INLINE Finish(const LinearBlock& block)
      : epilogue_(*block.epilogue),
        tile_(block.unfinished),
        finish_(row_finisher(epilogue_)),
        per_group_((tile_.rows + block.steps / kLinearGroup - kFinishLead - 1) /
                   (block.steps / kLinearGroup - kFinishLead)),
        row_(-kFinishLead * per_group_) {}

  GTR_SIMD_INLINE void group() {
    if (row_ >= tile_.rows) return;
    for (int64_t row = row_ + kFinishLead * per_group_; row < after(kFinishLead + 1); ++row) {
      if (epilogue_.residual != nullptr) {
        prefetch_residual_row(epilogue_, tile_.first_row + row, tile_.column, kColumns);
      }
      prefetch_y_row(epilogue_, tile_.first_row + row, tile_.column);
    }
    if (row_ >= 0) {
      for (int64_t row = row_; row < after(1); ++row) {
        finish_(epilogue_, tile_.first_row + row, tile_.column, tile_.sums + row * kColumns);
      }
    }
    row_ += per_group_;
  }

 private:
  // The row that so many groups of rows from now on end before.
  GTR_SIMD_INLINE int64_t after(int64_t groups) const {
    const int64_t end = row_ + groups * per_group_;
    return end < tile_.rows ? end : tile_.rows;
  }

  const LinearEpilogue& epilogue_;
  const LinearTile& tile_;
  const FinishRow finish_;
  const int64_t per_group_;
  int64_t row_;
};

struct NoFinish {
  explicit GTR_SIMD_INLINE NoFinish(const LinearBlock&) {}
  GTR_SIMD_INLINE void group() {}
};

// One panel by one tile of rows, or by two where there are more than kMaxTileRows rows.
template <bool kTwo, typename Finishing>
void multiply_panel(const LinearBlock& block) {
  Fetch fetch(block);
  Finishing finishing(block);
  const int64_t upper = upper_rows(block.rows);
  const int64_t stride = block.x_stride * 4;
  const char* x = static_cast<const char*>(block.x);
  const char* weights = static_cast<const char*>(block.weights);
  tile_zero<0>();
  tile_zero<1>();
  if constexpr (kTwo) {
    tile_zero<2>();
    tile_zero<3>();
  }
  for (int64_t left = block.steps; left > 0; left -= kLinearGroup) {
    tile_load<6>(weights, kStepBytes);
    tile_load<4>(x, stride);
    tile_multiply_add<0, 4, 6>();
    tile_load<7>(weights + kTileRowBytes, kStepBytes);
    tile_multiply_add<1, 4, 7>();
    if constexpr (kTwo) {
      tile_load<5>(x + upper * stride, stride);
      tile_multiply_add<2, 5, 6>();
      tile_multiply_add<3, 5, 7>();
    }
    fetch.group();
    finishing.group();
    x += block.x_group * 4;
    weights += kGroupBytes;
  }
  tile_store<0>(block.sums, kStepBytes);
  tile_store<1>(block.sums + kLanes, kStepBytes);
  if constexpr (kTwo) {
    float* const lower = block.sums + upper * kColumns;
    tile_store<2>(lower, kStepBytes);
    tile_store<3>(lower + kLanes, kStepBytes);
  }
}

// Fetches the group of a panel's weights after this one into the first-level cache.
GTR_SIMD_INLINE void prefetch_next_group(const char* weights) {
#pragma GCC unroll 4
  for (int64_t at = 0; at < kGroupBytes; at += kLine) __builtin_prefetch(weights + kGroupBytes + at, 0, 3);
}

// Up to kMaxTileRows rows by two panels: four independent sums, since each waits for the one before. Weights are used
// once, so that they come from where the processor does not fetch them ahead of tiles' loads fast enough.
void multiply_two_panels(const LinearBlock& block) {
  Fetch fetch(block);
  const int64_t stride = block.x_stride * 4;
  const char* x = static_cast<const char*>(block.x);
  const char* weights = static_cast<const char*>(block.weights);
  const char* second = weights + block.panel_stride;
  tile_zero<0>();
  tile_zero<1>();
  tile_zero<2>();
  tile_zero<3>();
  for (int64_t left = block.steps; left > 0; left -= kLinearGroup) {
    tile_load<4>(x, stride);
    tile_load<5>(weights, kStepBytes);
    tile_multiply_add<0, 4, 5>();
    tile_load<6>(weights + kTileRowBytes, kStepBytes);
    tile_multiply_add<1, 4, 6>();
    tile_load<7>(second, kStepBytes);
    tile_multiply_add<2, 4, 7>();
    tile_load<5>(second + kTileRowBytes, kStepBytes);
    tile_multiply_add<3, 4, 5>();
    prefetch_next_group(weights);
    prefetch_next_group(second);
    fetch.group();
    x += block.x_group * 4;
    weights += kGroupBytes;
    second += kGroupBytes;
  }
  float* const sums = block.sums + block.rows * kColumns;
  tile_store<0>(block.sums, kStepBytes);
  tile_store<1>(block.sums + kLanes, kStepBytes);
  tile_store<2>(sums, kStepBytes);
  tile_store<3>(sums + kLanes, kStepBytes);
}

void pack_bf16(const gtr_tensor& x, int64_t first_row, int64_t rows, void* packed) {
  const auto pack = x.dtype == GTR_BF16 ? pack_with<PackBfloat16> : pack_with<PackRounded>;
  pack(x, first_row, rows, packed);
}

constexpr LinearKernels kernels() {
  LinearKernels k{};
  k.rows = kMaxRows;
  k.columns = kColumns;
  k.inputs_per_step = 2;
  k.steps_at_once = kLinearGroup;
  k.step_bytes = kStepBytes;
  k.chunk_bytes = 1280 * 1024;
  k.finish_groups = 2 * kFinishLead;
  k.read_in_place = GTR_BF16;
  for (int64_t rows = 1; rows <= kMaxRows; ++rows) {
    const bool one = rows <= kMaxTileRows;
    k.multiply[0][rows - 1] = one ? multiply_panel<false, NoFinish> : multiply_panel<true, NoFinish>;
    k.multiply[1][rows - 1] = one ? multiply_two_panels : nullptr;
    k.multiply_and_finish[rows - 1] = one ? multiply_panel<false, Finish> : multiply_panel<true, Finish>;
  }
  k.pack = pack_bf16;
  k.finish = finish;
  k.prefetch_residual = prefetch_residual;
  k.configure = configure;
  k.release = release;
  return k;
}

}  // namespace

extern constexpr LinearKernels kLinearBf16 = kernels();

}  // namespace gtr::cpu::amxbf16
