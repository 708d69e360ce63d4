// linear: y = residual + gate * activation(x W^T + b).
//
// x is read where it lies, or packed (rounded or widened) first. Each thread takes panel after panel, for a chunk of
// rows, and passes over the panel with every tile of rows. The sums of a tile wait on the stack and are finished while
// the next one is multiplied. So each chunk reads its weights once, and a thread fetches the weights it needs next
// while it computes.
#include "linear_weights.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "cache_geometry.h"
#include "errors.h"
#include "memory.h"
#include "pool.h"

namespace gtr::cpu {
namespace {

constexpr int64_t kCacheLine = 64;
constexpr int64_t kPackAlone = 16 * 1024;      // elements of x below which waking other threads costs more than packing
constexpr int64_t kMinShareBytes = 64 * 1024;  // of weights, below which a share is not worth handing over
// Bytes of a residual up to which a core's own caches hold it, so that fetching it ahead only costs.
constexpr int64_t kNearResidual = 256 * 1024;
constexpr int64_t kMinChunkProducts = 1 << 20;  // multiplications, below which rows are not split for more threads

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
    case Tier::kAmxBf16:
      return f32 ? avx512::kLinearF32 : amxbf16::kLinearBf16;
#endif
    default:
      return f32 ? scalar::kLinearF32 : scalar::kLinearBf16;
  }
}

// Part i of `total` things split as evenly as possible into `parts` ranges starts at split(total, parts, i).
int64_t split(int64_t total, int64_t parts, int64_t i) { return total * i / parts; }

int64_t packed_row_bytes(const Linear& linear) { return round_up(linear.steps, kLinearGroup) * 4; }

// How a call is cut up. Chunks are ranges of rows, each cut into tiles of as equal numbers of rows as possible.
struct Plan {
  const Linear& linear;
  int64_t rows;
  int64_t chunks;

  Plan(const Linear& weights, int64_t row_count, int64_t threads)
      : linear(weights), rows(row_count), chunks(count_chunks(weights, row_count, threads)) {}

  // As few as the caches allow, since each reads all weights; more where there are not panels enough for the threads.
  static int64_t count_chunks(const Linear& linear, int64_t rows, int64_t threads) {
    const int64_t chunk_tiles =
        std::max<int64_t>(1, linear.kernels->chunk_bytes / (linear.steps * 4) / linear.kernels->rows);
    const int64_t least = divide_up(rows, chunk_tiles * linear.kernels->rows);
    const int64_t wanted = divide_up(2 * threads, linear.panels);
    const int64_t worthwhile = rows * linear.inputs * linear.kernels->columns / kMinChunkProducts;
    const int64_t tiles = divide_up(rows, linear.kernels->rows);
    return std::max(least, std::min({wanted, worthwhile, tiles}));
  }

  int64_t chunk_start(int64_t chunk) const { return split(rows, chunks, chunk); }
  int64_t tiles(int64_t chunk) const {
    return divide_up(chunk_start(chunk + 1) - chunk_start(chunk), linear.kernels->rows);
  }
  // The first tiles of a chunk are those that have one row more than others.
  static int64_t tile_rows(int64_t chunk_rows, int64_t tiles, int64_t tile) {
    return chunk_rows / tiles + (tile < chunk_rows % tiles ? 1 : 0);
  }
  static int64_t tile_start(int64_t chunk_rows, int64_t tiles, int64_t tile) {
    return tile * (chunk_rows / tiles) + std::min(tile, chunk_rows % tiles);
  }
};

bool readable_in_place(const Linear& linear, const gtr_tensor& x) {
  if (static_cast<int32_t>(x.dtype) != linear.kernels->read_in_place) return false;
  if (linear.inputs != linear.steps * linear.kernels->inputs_per_step) return false;
  const int64_t row_bytes = x.stride[0] * 4 / linear.kernels->inputs_per_step;
  return row_bytes % 4 == 0 && reinterpret_cast<uintptr_t>(x.data) % 4 == 0 &&
         (row_bytes % kFirstLevelAlias != 0 || std::min(x.shape[0], linear.kernels->rows) <= first_level_ways());
}

// x as the micro-kernels read it.
class Input {
 public:
  Input(const Plan& plan, const gtr_tensor& x, void* scratch)
      : plan_(plan), x_(x), scratch_(static_cast<char*>(scratch)), in_place_(readable_in_place(plan.linear, x)) {}

  void pack(const Context& context) const {
    if (in_place_) return;
    const int64_t most = plan_.tiles(0) + 1;  // no chunk has fewer tiles than the first, or more than one more
    const auto body = [&](int64_t i) {
      const int64_t chunk = i / most;
      const int64_t tiles = plan_.tiles(chunk);
      const int64_t first = plan_.chunk_start(chunk);
      const int64_t rows = plan_.chunk_start(chunk + 1) - first;
      const int64_t tile = i % most;
      if (tile < tiles) {
        const int64_t start = first + Plan::tile_start(rows, tiles, tile);
        plan_.linear.kernels->pack(x_, start, Plan::tile_rows(rows, tiles, tile), packed(start));
      }
    };
    if (plan_.rows * plan_.linear.inputs <= kPackAlone) {
      for (int64_t i = 0; i < plan_.chunks * most; ++i) {
        body(i);
      }
    } else {
      context.pool->parallel_for(plan_.chunks * most, body);
    }
  }

  // Of a tile.
  void describe(int64_t first_row, int64_t rows, LinearBlock* block) const {
    if (in_place_) {
      block->x_stride = x_.stride[0] / plan_.linear.kernels->inputs_per_step;
      block->x_group = kLinearGroup;
      block->x = static_cast<const char*>(x_.data) + first_row * block->x_stride * 4;
    } else {
      block->x_stride = kLinearGroup;
      block->x_group = rows * kLinearGroup;
      block->x = packed(first_row);
    }
  }

 private:
  char* packed(int64_t first_row) const { return scratch_ + first_row * packed_row_bytes(plan_.linear); }

  const Plan& plan_;
  const gtr_tensor& x_;
  char* const scratch_;
  const bool in_place_;
};

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

// What a thread fetches while the tiles of a chunk pass over a panel.
class Fetching {
 public:
  // `following` are the weights that it probably reads next, null if it is done.
  Fetching(const Plan& plan, int64_t tiles, int64_t panels_at_once, const char* following)
      : following_(following),
        panel_bytes_(plan.linear.panel_stride),
        groups_(divide_up(plan.linear.steps, kLinearGroup)),
        // Not where a call takes several panels: so many streams with so few rows keep the processor's own prefetching
        // busy, and ours in its way.
        fetches_(panels_at_once == 1 && following != nullptr),
        streams_(panels_at_once == 1 && plan.rows <= kStreamTiles * plan.linear.kernels->rows &&
                 plan.linear.kernels->stream[0] != nullptr),
        // A lone tile reads its weights so fast that it had better fetch these.
        streaming_tiles_(fetches_ && tiles > 1 ? plan.linear.kernels->columns * 4 / kCacheLine : 0),
        lines_per_group_(fetches_ ? divide_up(panel_bytes_ / kCacheLine, groups_ * tiles) : 0) {}

  // Whether it is for the kernels that stream.
  bool streams() const { return streams_; }

  void describe(int64_t tile, LinearBlock* block) const {
    block->prefetch_lines = lines_per_group_;
    if (!streams_) {
      block->prefetch = following_ + tile * groups_ * lines_per_group_ * kCacheLine;
    } else if (tile < streaming_tiles_) {
      block->prefetch = following_ + tile * (panel_bytes_ / streaming_tiles_);
    } else {
      block->prefetch = nullptr;
    }
  }

 private:
  static constexpr int64_t kStreamTiles = 4;  // in a call: with more, weights come faster than they are multiplied

  const char* const following_;
  const int64_t panel_bytes_;
  const int64_t groups_;
  const bool fetches_;
  const bool streams_;
  const int64_t streaming_tiles_;  // the first ones, which fetch a panel line by line
  const int64_t lines_per_group_;
};

// What one thread does of a call.
class Worker {
 public:
  Worker(const Plan& plan, const LinearEpilogue& epilogue, const Input& x) : plan_(plan), epilogue_(epilogue), x_(x) {}
  ~Worker() {
    finish_waiting();
    if (configured_rows_ > 0) plan_.linear.kernels->release();
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // 1 << choice panels from `panel`, for all rows of a chunk; `following` as Fetching has it.
  void multiply(int64_t chunk, int64_t panel, int choice, const char* following) {
    const Linear& linear = plan_.linear;
    const LinearKernels& kernels = *linear.kernels;
    const int64_t count = int64_t{1} << choice;
    const int64_t first = plan_.chunk_start(chunk);
    const int64_t rows = plan_.chunk_start(chunk + 1) - first;
    const int64_t tiles = plan_.tiles(chunk);
    const int64_t groups = divide_up(linear.steps, kLinearGroup);
    LinearBlock block{};
    block.fetch_x = chunk != last_chunk_;
    last_chunk_ = chunk;
    block.weights = linear.weights + panel * linear.panel_stride;
    block.panel_stride = linear.panel_stride;
    block.steps = linear.steps;
    block.epilogue = &epilogue_;
    const Fetching fetching(plan_, tiles, count, following);
    const bool far_residual =
        epilogue_.residual != nullptr && plan_.rows * linear.outputs * int64_t{sizeof(float)} > kNearResidual;
    const bool long_enough = count == 1 && groups >= kernels.finish_groups;
    for (int64_t tile = 0; tile < tiles; ++tile) {
      const int64_t tile_rows = Plan::tile_rows(rows, tiles, tile);
      configure(tile_rows);
      fetching.describe(tile, &block);
      block.rows = tile_rows;
      block.sums = sums_[next_];
      const LinearTile current{first + Plan::tile_start(rows, tiles, tile), tile_rows, panel * kernels.columns,
                               block.sums};
      x_.describe(current.first_row, tile_rows, &block);
      const bool can_finish = long_enough && kernels.multiply_and_finish[tile_rows - 1] != nullptr;
      const bool waits = can_finish && columns_of(current) == kernels.columns;
      if (far_residual && !waits) kernels.prefetch_residual(epilogue_, current, columns_of(current));
      if (waiting_.rows > 0 && can_finish) {
        block.unfinished = waiting_;
        (fetching.streams() ? kernels.stream_and_finish : kernels.multiply_and_finish)[tile_rows - 1](block);
        waiting_.rows = 0;
      } else {
        finish_waiting();
        (fetching.streams() ? kernels.stream : kernels.multiply[choice])[tile_rows - 1](block);
      }
      if (waits) {
        waiting_ = current;
        next_ = 1 - next_;
      } else {
        for (int64_t p = 0; p < count; ++p) {
          finish({current.first_row, tile_rows, current.column + p * kernels.columns,
                  current.sums + p * tile_rows * kernels.columns});
        }
      }
    }
  }

 private:
  int64_t columns_of(const LinearTile& tile) const {
    return std::min(plan_.linear.kernels->columns, plan_.linear.outputs - tile.column);
  }

  void configure(int64_t rows) {
    const LinearKernels& kernels = *plan_.linear.kernels;
    if (kernels.configure != nullptr && rows != configured_rows_) {
      kernels.configure(rows);
      configured_rows_ = rows;
    }
  }

  void finish(const LinearTile& tile) const { plan_.linear.kernels->finish(epilogue_, tile, columns_of(tile)); }

  void finish_waiting() {
    if (waiting_.rows > 0) finish(waiting_);
    waiting_.rows = 0;
  }

  const Plan& plan_;
  const LinearEpilogue& epilogue_;
  const Input& x_;
  LinearTile waiting_{};  // multiplied and not finished, if it has rows
  int64_t last_chunk_ = -1;
  int64_t configured_rows_ = 0;
  int next_ = 0;  // the sums that are free
  alignas(kCacheLine) float sums_[2][LinearKernels::kMaxSums];
};

}  // namespace

gtr_status linear_create(DeviceMemory& memory, Tier tier, int64_t outputs, int64_t inputs, gtr_precision precision,
                         Linear** linear) noexcept {
  *linear = nullptr;
  const LinearKernels& kernels = kernels_of(tier, precision);
  const int64_t panels = divide_up(outputs, kernels.columns);
  const int64_t padded_inputs = precision == GTR_PRECISION_F32 ? inputs : round_up(inputs, 2);
  const int64_t steps = round_up(padded_inputs / kernels.inputs_per_step, kernels.steps_at_once);
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

int64_t linear_scratch_size(const Linear& linear, int64_t rows) noexcept { return rows * packed_row_bytes(linear); }

gtr_status linear(const Context& context, const Linear& linear, gtr_activation activation, const gtr_tensor& x,
                  const gtr_tensor* gate, const gtr_tensor* residual, const gtr_tensor& y, void* scratch) noexcept {
  if (x.shape[0] == 0) {
    return GTR_OK;
  }
  const Plan plan(linear, x.shape[0], context.pool->threads());
  const LinearEpilogue epilogue{activation, linear.bias, gate, residual, &y};
  const Input input(plan, x, scratch);
  input.pack(context);

  int choice;
  const int64_t at_once = panels_at_once(plan, &choice);
  const int64_t groups = divide_up(linear.panels, at_once);
  const int64_t worthwhile = plan.chunks * std::max<int64_t>(1, linear.panels * linear.panel_stride / kMinShareBytes);
  const int64_t threads = std::min({static_cast<int64_t>(context.pool->threads()), plan.chunks * groups, worthwhile});
  Shares shares(groups, plan.chunks, threads);
  context.pool->parallel_for(threads, [&](int64_t i) {
    Worker worker(plan, epilogue, input);
    for (Shares::Item item = shares.take(i); item.exists(); item = shares.take(i)) {
      const int64_t next = shares.next_group(i);
      const int64_t end = std::min(linear.panels, (item.group + 1) * at_once);
      for (int64_t panel = item.group * at_once; panel < end;) {
        int take = choice;
        while ((int64_t{1} << take) > end - panel) {
          --take;
        }
        worker.multiply(item.chunk, panel, take,
                        next < 0 ? nullptr : linear.weights + next * at_once * linear.panel_stride);
        panel += int64_t{1} << take;
      }
    }
  });
  return GTR_OK;
}

}  // namespace gtr::cpu
