#include "linear_hopper.h"

#include <algorithm>

#include "launch_shape.h"
#include "linear_group_tile.h"

namespace gtr::cuda {

// epilogue(rows W^T). weights: packed [tiles][steps][512 bytes]; rows.x bf16 [rows.rows, 32 steps]. Launch:
// ceil(rows / Shape::kRows) * column_blocks blocks, column_blocks = ceil(8 tiles / Shape::kColumns), of
// Shape::kThreads, Shape::kSharedBytes. Neighbouring blocks share rows of x: those that run at a time read all of W,
// which stays in L2, and few rows of x.
template <typename Shape, int kBlocks>
__global__ void __launch_bounds__(Shape::kThreads, kBlocks)
    linear_group_tile_kernel(const void* weights, int32_t steps, int32_t tiles, int64_t outputs, GlobalRows rows,
                             int32_t column_blocks, LinearEpilogue epilogue, const int32_t* cancelled) {
  const int block = static_cast<int>(blockIdx.x);
  group_tile_linear<Shape>(weights, steps, tiles, outputs, rows, int64_t{block / column_blocks} * Shape::kRows,
                           block % column_blocks * (Shape::kColumns / kTileColumns), epilogue, cancelled);
}

namespace {

constexpr int kCapability = 90;
constexpr int64_t kMostShared = int64_t{227} << 10;  // of a block

template <typename Shape, int kBlocks>
void launch_tiles(Queue& queue, const Linear& linear, const GlobalRows& rows, const LinearEpilogue& epilogue,
                  const int32_t* cancelled) noexcept {
  const int64_t column_blocks = divide_up(linear.tiles, Shape::kColumns / kTileColumns);
  const dim3 grid(static_cast<unsigned>(divide_up(rows.rows, Shape::kRows) * column_blocks));
  launch_dependent<linear_group_tile_kernel<Shape, kBlocks>>(
      queue, grid, Shape::kThreads, Shape::kSharedBytes, static_cast<const void*>(linear.weights), linear.steps,
      linear.tiles, linear.outputs, rows, static_cast<int32_t>(column_blocks), epilogue, cancelled);
}

struct TileChoice {
  int64_t rows;
  int64_t columns;
  Partitions partitions;
  // Microseconds that a block takes by itself on a multiprocessor, for each stage and beside them; and that a
  // multiprocessor full of such blocks takes for each: fitted to products of MAR-H on an H200.
  double alone;
  double alone_fixed;
  double full;
  double full_fixed;
  void (*launch)(Queue&, const Linear&, const GlobalRows&, const LinearEpilogue&, const int32_t*) noexcept;
};

template <int kGroups, int kColumns, int kStages, Partitions kPartitions, int kBlocks>
constexpr TileChoice choice(double alone, double alone_fixed, double full, double full_fixed) {
  using Shape = GroupTileShape<kGroups, kColumns, kStages, kPartitions>;
  static_assert(Shape::kSharedBytes <= kMostShared, "fits into a multiprocessor");
  return {Shape::kRows, kColumns, kPartitions, alone, alone_fixed, full, full_fixed, launch_tiles<Shape, kBlocks>};
}

constexpr TileChoice kTileChoices[] = {
    choice<3, 192, 4, Partitions::kSingle, 1>(1.0, 8.0, 1.1, 6.3),
    choice<2, 128, 3, Partitions::kSingle, 2>(0.925, 7.0, 0.77, 1.0),
    choice<2, 192, 5, Partitions::kInTurn, 1>(0.72, 10.0, 0.745, 16.0),
    choice<2, 64, 4, Partitions::kInTurn, 2>(0.41, 8.0, 0.341, 3.9),
    choice<1, 64, 4, Partitions::kInTurn, 3>(0.288, 6.6, 0.26, 3.3),
    choice<1, 32, 8, Partitions::kInTurn, 2>(0.248, 6.6, 0.175, 3.0),
    choice<2, 64, 4, Partitions::kAtOnce, 1>(0.33, 9.7, 0.54, 3.0),
    choice<1, 32, 4, Partitions::kAtOnce, 2>(0.22, 6.2, 0.25, 1.3),
};

// The one whose last multiprocessor is done first.
const TileChoice& choose_tile(int64_t rows, const Linear& linear, int64_t multiprocessors) {
  const bool is_single = partition_start_bf16(linear.outputs, linear.steps, 1) == linear.steps;
  const auto stages = static_cast<double>(divide_up(linear.steps, 2));
  const TileChoice* best = nullptr;
  double best_time = 0;
  for (const TileChoice& choice : kTileChoices) {
    // A single partition would leave half of the warpgroups without work.
    const bool is_for_single = choice.partitions == Partitions::kSingle;
    const bool is_for_two = choice.partitions == Partitions::kAtOnce;
    if (is_single ? is_for_two : is_for_single) continue;
    const int64_t blocks = divide_up(rows, choice.rows) * divide_up(linear.outputs, choice.columns);
    const auto most = static_cast<double>(divide_up(blocks, multiprocessors));  // of a multiprocessor
    const double time = std::max(stages * choice.alone + choice.alone_fixed,
                                 most > 1 ? most * (stages * choice.full + choice.full_fixed) : 0);
    if (best == nullptr || time < best_time) {
      best = &choice;
      best_time = time;
    }
  }
  return *best;
}

}  // namespace

bool has_linear_hopper(const DeviceLimits& limits) noexcept {
  return limits.compute_capability == kCapability && limits.shared_bytes >= kMostShared;
}

void launch_linear_hopper(Queue& queue, const DeviceLimits& limits, const Linear& linear, const GlobalRows& rows,
                          const LinearEpilogue& epilogue, const int32_t* cancelled) noexcept {
  choose_tile(rows.rows, linear, limits.multiprocessors).launch(queue, linear, rows, epilogue, cancelled);
}

}  // namespace gtr::cuda
