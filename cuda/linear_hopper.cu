#include "linear_hopper.h"

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

int64_t divide_up(int64_t value, int64_t unit) { return (value + unit - 1) / unit; }

template <typename Shape, int kBlocks>
void launch_tiles(Queue& queue, const Linear& linear, const GlobalRows& rows, const LinearEpilogue& epilogue,
                  const int32_t* cancelled) noexcept {
  const int64_t column_blocks = divide_up(linear.tiles, Shape::kColumns / kTileColumns);
  const dim3 grid(static_cast<unsigned>(divide_up(rows.rows, Shape::kRows) * column_blocks));
  launch<linear_group_tile_kernel<Shape, kBlocks>>(
      queue, grid, Shape::kThreads, Shape::kSharedBytes, static_cast<const void*>(linear.weights), linear.steps,
      linear.tiles, linear.outputs, rows, static_cast<int32_t>(column_blocks), epilogue, cancelled);
}

struct TileChoice {
  int64_t rows;
  int64_t columns;
  int64_t blocks;  // that a multiprocessor holds
  double stage;    // clocks that a stage takes a multiprocessor
  double latency;  // and one block of it at least
  void (*launch)(Queue&, const Linear&, const GlobalRows&, const LinearEpilogue&, const int32_t*) noexcept;
};

// wgmma does 2048 multiply-adds a clock: the largest tile's stage takes 768.
constexpr TileChoice kTileChoices[] = {
    {128, 192, 1, 768, 768, launch_tiles<GroupTileShape<2, 192, 5>, 1>},
    {128, 128, 1, 540, 540, launch_tiles<GroupTileShape<2, 128, 6>, 1>},
    {128, 64, 2, 340, 400, launch_tiles<GroupTileShape<2, 64, 4>, 2>},
    {64, 64, 3, 200, 300, launch_tiles<GroupTileShape<1, 64, 4>, 3>},
};

// The one whose last multiprocessor is done first.
const TileChoice& choose_tile(int64_t rows, int64_t outputs, int64_t multiprocessors) {
  const TileChoice* best = nullptr;
  double best_time = 0;
  for (const TileChoice& choice : kTileChoices) {
    const int64_t blocks = divide_up(rows, choice.rows) * divide_up(outputs, choice.columns);
    const int64_t most = divide_up(blocks, multiprocessors);  // of a multiprocessor
    const double busy = static_cast<double>(most) * choice.stage;
    const double alone = static_cast<double>(divide_up(most, choice.blocks)) * choice.latency;
    const double time = busy > alone ? busy : alone;
    if (best == nullptr || time < best_time) {
      best = &choice;
      best_time = time;
    }
  }
  return *best;
}

}  // namespace

bool has_linear_hopper(const DeviceLimits& limits) noexcept {
  constexpr int64_t kMostShared = GroupTileShape<2, 192, 5>::kSharedBytes;
  return limits.compute_capability == kCapability && limits.shared_bytes >= kMostShared;
}

void launch_linear_hopper(Queue& queue, const DeviceLimits& limits, const Linear& linear, const GlobalRows& rows,
                          const LinearEpilogue& epilogue, const int32_t* cancelled) noexcept {
  choose_tile(rows.rows, linear.outputs, limits.multiprocessors).launch(queue, linear, rows, epilogue, cancelled);
}

}  // namespace gtr::cuda
