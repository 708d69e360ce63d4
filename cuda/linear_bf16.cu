#include "linear_bf16.h"

#include "launch_shape.h"
#include "linear_hopper.h"
#include "linear_tile.h"

namespace gtr::cuda {

// epilogue(rows W^T) for up to Shape::kRows rows. weights: packed [tiles][steps][512 bytes]; rows.x bf16
// [rows.rows, 32 steps]. Launch: ceil(tiles / Shape::kTiles) blocks of Shape::kThreads, Shape::kSharedBytes.
template <typename Shape>
__global__ void __launch_bounds__(Shape::kThreads, 1)
    linear_stream_kernel(const void* weights, int32_t steps, int32_t tiles, int64_t outputs, GlobalRows rows,
                         LinearEpilogue epilogue, const int32_t* cancelled) {
  stream_linear<Shape>(weights, steps, tiles, outputs, rows, rows.rows, epilogue, cancelled);
}

// The same for any number of rows. Launch: ceil(rows / Shape::kRows) * column_blocks blocks, column_blocks =
// ceil(8 tiles / Shape::kColumns), of Shape::kThreads, Shape::kSharedBytes. Neighbouring blocks share rows of x: those
// that run at a time read all of W, which stays in L2, and few rows of x.
template <typename Shape, int kBlocks>
__global__ void __launch_bounds__(Shape::kThreads, kBlocks)
    linear_tile_kernel(const void* weights, int32_t steps, int32_t tiles, int64_t outputs, GlobalRows rows,
                       int32_t column_blocks, LinearEpilogue epilogue, const int32_t* cancelled) {
  const int block = static_cast<int>(blockIdx.x);
  tile_linear<Shape>(weights, steps, tiles, outputs, rows, int64_t{block / column_blocks} * Shape::kRows,
                     block % column_blocks * (Shape::kColumns / kTileColumns), epilogue, cancelled);
}

namespace {

template <typename Shape>
void launch_stream(Queue& queue, const Linear& linear, const GlobalRows& rows, const LinearEpilogue& epilogue,
                   const int32_t* cancelled) noexcept {
  const dim3 grid(static_cast<unsigned>(divide_up(linear.tiles, Shape::kTiles)));
  launch_dependent<linear_stream_kernel<Shape>>(queue, grid, Shape::kThreads, Shape::kSharedBytes,
                                                static_cast<const void*>(linear.weights), linear.steps, linear.tiles,
                                                linear.outputs, rows, epilogue, cancelled);
}

// Four choices of tile. `speed` is what we expect a multiprocessor full of them to reach beside the largest one: small
// tiles read more of x and W for a product. Stages: as many as leave room for the blocks that registers allow, within
// the 99 KB of compute capability 8.6.
using Tile128x128 = TileShape<128, 128, 64, 64, 3>;
using Tile128x64 = TileShape<128, 64, 64, 64, 3>;
using Tile64x64 = TileShape<64, 64, 32, 64, 4>;
using Tile64x32 = TileShape<64, 32, 32, 32, 6>;

template <typename Shape, int kBlocks>
void launch_tiles(Queue& queue, const Linear& linear, const GlobalRows& rows, const LinearEpilogue& epilogue,
                  const int32_t* cancelled) noexcept {
  const int64_t column_blocks = divide_up(linear.tiles, Shape::kColumns / kTileColumns);
  const dim3 grid(static_cast<unsigned>(divide_up(rows.rows, Shape::kRows) * column_blocks));
  launch_dependent<linear_tile_kernel<Shape, kBlocks>>(
      queue, grid, Shape::kThreads, Shape::kSharedBytes, static_cast<const void*>(linear.weights), linear.steps,
      linear.tiles, linear.outputs, rows, static_cast<int32_t>(column_blocks), epilogue, cancelled);
}

struct TileChoice {
  int64_t rows;
  int64_t columns;
  double speed;
  void (*launch)(Queue&, const Linear&, const GlobalRows&, const LinearEpilogue&, const int32_t*) noexcept;
};

constexpr TileChoice kTileChoices[] = {
    {128, 128, 1.0, launch_tiles<Tile128x128, 1>},
    {128, 64, 0.9, launch_tiles<Tile128x64, 2>},
    {64, 64, 0.75, launch_tiles<Tile64x64, 3>},
    {64, 32, 0.55, launch_tiles<Tile64x32, 3>},
};

// The one whose last multiprocessor is done first. 640 x 1280 on 132 multiprocessors: 128 x 128 would keep 50 of them
// busy, 128 x 64 keeps 100; 320 x 1280: 64 x 64 keeps 100.
const TileChoice& choose_tile(int64_t rows, int64_t outputs, int64_t multiprocessors) {
  const TileChoice* best = nullptr;
  double best_time = 0;
  for (const TileChoice& choice : kTileChoices) {
    const int64_t blocks = divide_up(rows, choice.rows) * divide_up(outputs, choice.columns);
    const double time =
        static_cast<double>(divide_up(blocks, multiprocessors) * choice.rows * choice.columns) / choice.speed;
    if (best == nullptr || time < best_time) {
      best = &choice;
      best_time = time;
    }
  }
  return *best;
}

}  // namespace

void launch_linear_bf16(Queue& queue, const DeviceLimits& limits, const Linear& linear, const GlobalRows& rows,
                        const LinearEpilogue& epilogue, const int32_t* cancelled) noexcept {
  const bool is_one_wave = linear.tiles <= 2 * limits.multiprocessors;
  const bool is_streamed = rows.rows <= (is_one_wave ? kStreamedRowsOfOneWave : kStreamedRows);
  if (!is_streamed && has_linear_hopper(limits)) {
    launch_linear_hopper(queue, limits, linear, rows, epilogue, cancelled);
  } else if (!is_streamed) {
    choose_tile(rows.rows, linear.outputs, limits.multiprocessors).launch(queue, linear, rows, epilogue, cancelled);
  } else if (rows.rows > 48) {
    launch_stream<StreamShape<8, 2, false>>(queue, linear, rows, epilogue, cancelled);
  } else if (rows.rows > 32) {
    launch_stream<StreamShape<6, 2, false>>(queue, linear, rows, epilogue, cancelled);
  } else if (rows.rows > 16) {
    launch_stream<StreamShape<4, 2, false>>(queue, linear, rows, epilogue, cancelled);
  } else if (rows.rows > 8) {
    launch_stream<StreamShape<2, 2, false>>(queue, linear, rows, epilogue, cancelled);
  } else if (linear.tiles > 4 * limits.multiprocessors) {
    // Enough blocks even if each has two column tiles, for which it reads x once.
    launch_stream<StreamShape<1, 2, false>>(queue, linear, rows, epilogue, cancelled);
  } else {
    launch_stream<StreamShape<1, 1, false>>(queue, linear, rows, epilogue, cancelled);
  }
}

}  // namespace gtr::cuda
