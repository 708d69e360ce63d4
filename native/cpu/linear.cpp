// linear: y = residual + gate * activation(x W^T + b).
//
// x is packed (and rounded, for bf16) once. Then each thread takes panel after panel, for a chunk of rows; per panel it
// walks the inputs in blocks, and every tile of rows passes over a block while its weights are in the nearer caches.
// The sums of a chunk wait on the stack for the next block; after the last one a tile is finished at once. So each
// chunk reads its weights once, and a thread fetches the weights it needs next while it computes.
#include "linear_weights.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "errors.h"
#include "memory.h"
#include "pool.h"

namespace gtr::cpu {
namespace {

constexpr int64_t kCacheLine = 64;
constexpr int64_t kMaxSums = 4224;             // floats, of a task's chunk by its panels at once
constexpr int64_t kPackAlone = 16 * 1024;      // elements of x below which waking other threads costs more than packing
constexpr int64_t kMinShareBytes = 64 * 1024;  // of weights, below which a share is not worth handing over
constexpr int64_t kMinChunkProducts = 1 << 20;  // multiplications, below which rows are not split for more threads
// Bytes of a residual up to which a core's own caches hold it, so that fetching it ahead only costs.
constexpr int64_t kNearResidual = 256 * 1024;

int64_t round_up(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }
int64_t divide_up(int64_t value, int64_t unit) { return (value + unit - 1) / unit; }

const LinearKernels& kernels_of(Tier tier, gtr_precision precision) {
  const bool f32 = precision == GTR_PRECISION_F32;
  switch (tier) {
#ifdef GTR_HAS_TIER_AVX2
    case Tier::kAvx2:
      return f32 ? avx2::kLinearF32 : avx2::kLinearBf16;
    case Tier::kAvx512:
      return f32 ? avx512::kLinearF32 : avx512::kLinearBf16;
    case Tier::kAvx512Bf16:
      return f32 ? avx512::kLinearF32 : avx512bf16::kLinearBf16;
#endif
    default:
      return f32 ? scalar::kLinearF32 : scalar::kLinearBf16;
  }
}

// Part i of `total` things split as evenly as possible into `parts` ranges starts at split(total, parts, i).
int64_t split(int64_t total, int64_t parts, int64_t i) { return total * i / parts; }

// How a call is cut up. Chunks are ranges of rows, each cut into tiles of as equal numbers of rows as possible.
struct Plan {
  const Linear& linear;
  int64_t rows;
  int64_t chunks;
  int64_t packed_row;   // elements of packed x per row
  int64_t block_steps;  // of all blocks but the last: as equal as whole groups allow

  Plan(const Linear& weights, int64_t row_count, int64_t threads)
      : linear(weights),
        rows(row_count),
        chunks(count_chunks(weights, row_count, threads)),
        packed_row(round_up(weights.steps, kLinearGroup)),
        block_steps(
            round_up(divide_up(weights.steps, divide_up(weights.steps, weights.kernels->block_steps)), kLinearGroup)) {}

  // As few as the caches allow, since each reads all weights; more where there are not panels enough for the threads.
  static int64_t count_chunks(const Linear& linear, int64_t rows, int64_t threads) {
    const int64_t least = divide_up(rows, linear.kernels->chunk_rows);
    const int64_t wanted = divide_up(2 * threads, linear.panels);
    const int64_t worthwhile = rows * linear.inputs * linear.kernels->columns / kMinChunkProducts;
    const int64_t tiles = divide_up(rows, linear.kernels->rows);
    return std::max(least, std::min({wanted, worthwhile, tiles}));
  }

  int64_t chunk_start(int64_t chunk) const { return split(rows, chunks, chunk); }
  int64_t tiles(int64_t chunk) const {
    return divide_up(chunk_start(chunk + 1) - chunk_start(chunk), linear.kernels->rows);
  }

  // Packed x of a tile's block: chunk after chunk, in a chunk block after block, in a block tile after tile.
  char* packed(void* scratch, int64_t first_row, int64_t chunk_rows, int64_t step, int64_t tile_row,
               int64_t steps) const {
    return static_cast<char*>(scratch) +
           4 * (first_row * packed_row + step * chunk_rows + tile_row * round_up(steps, kLinearGroup));
  }
};

void pack_tile(const Plan& plan, const gtr_tensor& x, void* scratch, int64_t chunk, int64_t tile) {
  const LinearKernels& kernels = *plan.linear.kernels;
  const int64_t first = plan.chunk_start(chunk);
  const int64_t chunk_rows = plan.chunk_start(chunk + 1) - first;
  const int64_t tiles = plan.tiles(chunk);
  const int64_t start = split(chunk_rows, tiles, tile);
  const int64_t count = split(chunk_rows, tiles, tile + 1) - start;
  for (int64_t step = 0; step < plan.linear.steps; step += plan.block_steps) {
    const int64_t steps = std::min(plan.block_steps, plan.linear.steps - step);
    kernels.pack(x, first + start, count, step, steps, plan.packed(scratch, first, chunk_rows, step, start, steps));
  }
}

void pack(const Context& context, const Plan& plan, const gtr_tensor& x, void* scratch) {
  const int64_t tiles = plan.tiles(0);  // no chunk has fewer than the first, or more than one more
  const int64_t most = tiles + 1;
  const auto body = [&](int64_t i) {
    const int64_t chunk = i / most;
    const int64_t tile = i % most;
    if (tile < plan.tiles(chunk)) {
      pack_tile(plan, x, scratch, chunk, tile);
    }
  };
  if (plan.rows * plan.linear.inputs <= kPackAlone) {
    for (int64_t i = 0; i < plan.chunks * most; ++i) {
      body(i);
    }
  } else {
    context.pool->parallel_for(plan.chunks * most, body);
  }
}

// The largest number of panels that a kernel takes at once with so many rows in the only tile; 1 with several tiles.
int64_t panels_at_once(const Plan& plan, int* choice) {
  const LinearKernels& kernels = *plan.linear.kernels;
  *choice = 0;
  if (plan.rows > kernels.rows) {
    return 1;
  }
  for (int p = LinearKernels::kPanelChoices - 1; p > 0; --p) {
    if (kernels.multiply[p][plan.rows - 1] != nullptr && (int64_t{1} << p) <= plan.linear.panels) {
      *choice = p;
      break;
    }
  }
  return int64_t{1} << *choice;
}

// Who multiplies what. Each thread has a share of the groups of panels that lie side by side, and passes over them once
// per chunk: so it knows what it reads next, and a later call finds the weights in the caches of the same core. Who is
// done takes from the others' shares, a group at a time.
class Shares {
 public:
  struct Item {
    int64_t chunk;
    int64_t group;  // negative: there is nothing left
    bool exists() const { return group >= 0; }
  };

  Shares(int64_t groups, int64_t chunks, int64_t threads)
      : groups_(groups), chunks_(chunks), count_(std::min({groups, threads, kMost})) {}

  // The next item of share `home`, or of the first share after it that has any left.
  Item take(int64_t home) {
    for (int64_t i = 0; i < count_; ++i) {
      const int64_t share = (home + i) % count_;
      const int64_t items = width(share) * chunks_;
      std::atomic<int64_t>& taken = taken_[share].count;
      if (taken.load(std::memory_order_relaxed) < items) {
        const int64_t item = taken.fetch_add(1, std::memory_order_relaxed);
        if (item < items) {
          return {item / width(share), first(share) + item % width(share)};
        }
      }
    }
    return {0, -1};
  }

  // The group of the item that share `home` gives next, negative if none is left. Another thread may be the one to take
  // it: only good for fetching ahead.
  int64_t next_group(int64_t home) const {
    const int64_t share = home % count_;
    const int64_t item = taken_[share].count.load(std::memory_order_relaxed);
    return item < width(share) * chunks_ ? first(share) + item % width(share) : -1;
  }

 private:
  static constexpr int64_t kMost = 64;  // with more threads than that, some begin in the same share

  struct alignas(kCacheLine) Taken {
    std::atomic<int64_t> count{0};
  };

  int64_t first(int64_t share) const { return split(groups_, count_, share); }
  int64_t width(int64_t share) const { return first(share + 1) - first(share); }

  const int64_t groups_;
  const int64_t chunks_;
  const int64_t count_;
  Taken taken_[kMost];
};

struct Call {
  const Plan& plan;
  const LinearEpilogue& epilogue;
  void* scratch;

  // `count` = 1 << choice panels from `panel`, for all rows of a chunk. `following` are the weights that this thread
  // probably reads next, null if it is done.
  void multiply(int64_t chunk, int64_t panel, int choice, const char* following) const {
    alignas(kCacheLine) float sums[kMaxSums];
    const Linear& linear = plan.linear;
    const LinearKernels& kernels = *linear.kernels;
    const int64_t count = int64_t{1} << choice;
    const int64_t first = plan.chunk_start(chunk);
    const int64_t rows = plan.chunk_start(chunk + 1) - first;
    const int64_t tiles = plan.tiles(chunk);
    LinearBlock block{};
    block.panel_stride = linear.panel_stride;
    block.sums_stride = rows * kernels.columns;
    const bool far_residual =
        epilogue.residual != nullptr && plan.rows * linear.outputs * int64_t{sizeof(float)} > kNearResidual;
    const bool single = plan.block_steps >= linear.steps;
    for (int64_t step = 0; step < linear.steps; step += plan.block_steps) {
      block.steps = std::min(plan.block_steps, linear.steps - step);
      block.first = step == 0;
      const bool last = step + block.steps == linear.steps;
      block.weights = linear.weights + panel * linear.panel_stride + step * kernels.step_bytes;
      // The tiles share in fetching what this thread reads next: the panel's next block, or the next panel's first. Not
      // where a call takes several panels: so many streams with so few rows keep the processor's own prefetching busy,
      // and ours in its way.
      const int64_t groups = divide_up(block.steps, kLinearGroup);
      const char* next = last ? following : static_cast<const char*>(block.weights) + block.steps * kernels.step_bytes;
      const bool fetch = count == 1 && next != nullptr;
      block.prefetch_lines = fetch ? divide_up(block.steps * kernels.step_bytes / kCacheLine, groups * tiles) : 0;
      for (int64_t tile = 0; tile < tiles; ++tile) {
        block.prefetch = next + tile * groups * block.prefetch_lines * kCacheLine;
        const int64_t start = split(rows, tiles, tile);
        const int64_t tile_rows = split(rows, tiles, tile + 1) - start;
        block.x = plan.packed(scratch, first, rows, step, start, block.steps);
        // Tiles that need no second block take turns in one buffer.
        block.sums = single ? sums : sums + start * kernels.columns;
        if (last && far_residual) {
          const int64_t column = panel * kernels.columns;
          kernels.prefetch_residual(epilogue, first + start, tile_rows, column,
                                    std::min(kernels.columns, linear.outputs - column));
        }
        kernels.multiply[choice][tile_rows - 1](block);
        if (last) {
          finish(panel, count, first + start, tile_rows, block);
        }
      }
    }
  }

  // A tile's sums, while they are in the first-level cache.
  void finish(int64_t panel, int64_t count, int64_t first_row, int64_t rows, const LinearBlock& block) const {
    const LinearKernels& kernels = *plan.linear.kernels;
    for (int64_t p = 0; p < count; ++p) {
      const int64_t column = (panel + p) * kernels.columns;
      kernels.finish(epilogue, first_row, rows, column, std::min(kernels.columns, plan.linear.outputs - column),
                     block.sums + p * block.sums_stride);
    }
  }
};

}  // namespace

gtr_status linear_create(DeviceMemory& memory, Tier tier, int64_t outputs, int64_t inputs, gtr_precision precision,
                         Linear** linear) noexcept {
  *linear = nullptr;
  const LinearKernels& kernels = kernels_of(tier, precision);
  const int64_t panels = divide_up(outputs, kernels.columns);
  const int64_t padded_inputs = precision == GTR_PRECISION_F32 ? inputs : round_up(inputs, 2);
  const int64_t steps = padded_inputs / kernels.inputs_per_step;
  const int64_t panel_stride = steps * kernels.step_bytes;
  const int64_t header = round_up(sizeof(Linear), kCacheLine);
  const int64_t bias = round_up(panels * kernels.columns * 4, kCacheLine);
  const int64_t bytes = header + bias + panels * panel_stride;
  char* data = static_cast<char*>(memory.allocate(bytes));
  if (data == nullptr) {
    return fail(GTR_ERROR_OUT_OF_MEMORY, "gtr_linear_create", "",
                "no memory for %lld bytes of packed weights [%lld, %lld]", static_cast<long long>(bytes),
                static_cast<long long>(outputs), static_cast<long long>(inputs));
  }
  std::memset(data, 0, static_cast<size_t>(bytes));
  *linear = new (data) Linear{&memory,
                              &kernels,
                              bytes,
                              outputs,
                              inputs,
                              precision,
                              panels,
                              steps,
                              panel_stride,
                              reinterpret_cast<float*>(data + header),
                              data + header + bias};
  return GTR_OK;
}

void linear_destroy(Linear* linear) noexcept {
  if (linear != nullptr) {
    linear->memory->release(linear, linear->allocated);
  }
}

int64_t linear_scratch_size(const Linear& linear, int64_t rows) noexcept {
  return rows * round_up(linear.steps, kLinearGroup) * 4;
}

gtr_status linear(const Context& context, const Linear& linear, gtr_activation activation, const gtr_tensor& x,
                  const gtr_tensor* gate, const gtr_tensor* residual, const gtr_tensor& y, void* scratch) noexcept {
  if (x.shape[0] == 0) {
    return GTR_OK;
  }
  const Plan plan(linear, x.shape[0], context.pool->threads());
  const LinearEpilogue epilogue{activation, linear.bias, gate, residual, &y};
  pack(context, plan, x, scratch);

  int choice;
  const int64_t at_once = panels_at_once(plan, &choice);
  const int64_t groups = divide_up(linear.panels, at_once);
  const int64_t worthwhile = plan.chunks * std::max<int64_t>(1, linear.panels * linear.panel_stride / kMinShareBytes);
  const int64_t threads = std::min({static_cast<int64_t>(context.pool->threads()), plan.chunks * groups, worthwhile});
  const Call call{plan, epilogue, scratch};
  Shares shares(groups, plan.chunks, threads);
  context.pool->parallel_for(threads, [&](int64_t i) {
    for (Shares::Item item = shares.take(i); item.exists(); item = shares.take(i)) {
      const int64_t next = shares.next_group(i);
      const int64_t end = std::min(linear.panels, (item.group + 1) * at_once);
      for (int64_t panel = item.group * at_once; panel < end;) {
        int take = choice;
        while ((int64_t{1} << take) > end - panel) {
          --take;
        }
        call.multiply(item.chunk, panel, take,
                      next < 0 ? nullptr : linear.weights + next * at_once * linear.panel_stride);
        panel += int64_t{1} << take;
      }
    }
  });
  return GTR_OK;
}

}  // namespace gtr::cpu
