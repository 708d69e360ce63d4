#include "grid.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <map>
#include <memory>
#include <numeric>
#include <vector>

#include "async_copies.h"
#include "device_memory.h"
#include "fibre.h"
#include "group_multiplies.h"
#include "ready_set.h"
#include "shared_memory.h"
#include "sites.h"
#include "tiles.h"

uint3 threadIdx;
uint3 blockIdx;
dim3 blockDim;
dim3 gridDim;

namespace gtr::cuda::emu {
namespace {

struct Thread;

struct Warp {
  size_t first;      // number of its lane 0 in the gang
  uint32_t present;  // lanes that have not returned
  uint32_t arrived;  // lanes that wait for the others in a collective
  Collective what;   // the one they wait in, and where
  Site site;
  void* operands[kWarp];
};

struct Block {
  uint3 index;
  SharedMemory* shared;
  size_t first_warp, warps;
  unsigned present;  // threads that have not returned
  unsigned arrived;  // threads at the barrier
  Site site;         // where they are
};

enum class State { kReady, kInWarp, kAtBlockBarrier, kAtGridBarrier, kAtDependency, kReturned };

struct Thread {
  Fibre fibre;
  Block* block;
  Warp* warp;
  unsigned index;  // threadIdx.x
  State state;
  bool has_waited;  // for the launches before this one
  Site site;        // where it waits
  AsyncCopies copies;
  Site copied_at;  // the last of them
  GroupMultiplies products;
  Site multiplied_at;  // likewise
};

// Threads that run side by side: those of a block, or of all blocks of a cooperative launch. Memory is kept from launch
// to launch.
struct Gang {
  size_t number = 0;  // of the gangs
  const Launch* launch = nullptr;
  std::vector<size_t> order;  // of the launch's blocks
  size_t begun = 0;           // so many of them
  bool is_ahead = false;      // launches before this one have not ended
  size_t at_dependency = 0;   // threads that wait for these
  Fibre caller;
  std::vector<std::unique_ptr<Thread>> threads;  // at first + lane of their warp; those beyond `used` rest
  std::vector<Block> blocks;
  std::vector<Warp> warps;
  std::vector<std::unique_ptr<SharedMemory>> shared;
  ReadySet ready;
  Random random{settings().seed};
  Thread* self = nullptr;
  size_t present = 0;  // threads that have not returned
  size_t at_grid_barrier = 0;
  GridBarrier* grid_barrier = nullptr;
  Site grid_site{};
  std::string failure;
};

// Two, for a launch may have begun before another one runs to its end. Made by the first launch. A plain pointer to the
// one whose threads run, since every call of every thread comes by.
Gang* gangs[2];
Gang* the_gang = nullptr;
Gang* begun_gang = nullptr;  // whose first block waits for the launches before
Gang& gang() { return *the_gang; }

const char* name_of(Collective what) {
  switch (what) {
    case Collective::kWarpSync:
      return "warp_sync";
    case Collective::kShuffle:
      return "a shuffle";
    case Collective::kBallot:
      return "ballot";
    case Collective::kMultiply:
      return "multiply_bf16";
    case Collective::kLoadMatrix:
      return "load_matrix";
  }
  return "?";
}

// Ends the launch: the thread that runs found something wrong. Nothing on its stack is destroyed, so callers keep
// nothing there that would have to be.
[[noreturn]] __attribute__((format(printf, 2, 3))) void fail(Site site, const char* format, ...) {
  Gang& g = gang();
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  char where[96];
  std::snprintf(where, sizeof where, "block (%u, %u, %u), thread %u, ", blockIdx.x, blockIdx.y, blockIdx.z,
                g.self->index);
  g.failure = where + site_text(site) + ": " + text;
  g.self->fibre.exit_to(g.caller);
}

// Where everybody is, if nobody can go on.
std::string describe_deadlock() {
  Gang& g = gang();
  std::map<std::string, int> where;
  for (const Block& block : g.blocks) {
    for (size_t w = block.first_warp; w < block.first_warp + block.warps; ++w) {
      for (size_t lane = 0; lane < kWarp; ++lane) {
        const Thread& thread = *g.threads[g.warps[w].first + lane];
        if (thread.block != &block) continue;
        switch (thread.state) {
          case State::kReady:
            break;
          case State::kInWarp:
            ++where["wait in " + std::string(name_of(thread.warp->what)) + " at " + site_text(thread.site)];
            break;
          case State::kAtBlockBarrier:
            ++where["wait in block_sync at " + site_text(thread.site)];
            break;
          case State::kAtGridBarrier:
            ++where["wait in grid_sync at " + site_text(thread.site)];
            break;
          case State::kAtDependency:
            ++where["wait in dependency_wait at " + site_text(thread.site)];
            break;
          case State::kReturned:
            ++where["have returned"];
            break;
        }
      }
    }
  }
  std::string text = "deadlock:";
  for (const auto& entry : where) {
    text += (text.back() == ':' ? " " : ", ") + std::to_string(entry.second) + " threads " + entry.first;
  }
  const uint3 block = g.blocks.front().index;
  if (g.blocks.size() == 1) {
    text = "block (" + std::to_string(block.x) + ", " + std::to_string(block.y) + ", " + std::to_string(block.z) +
           "): " + text;
  }
  return text;
}

// The thread to go on with, or null if there is none; makes it the current one.
Thread* take_next() {
  Gang& g = gang();
  const size_t number = g.ready.take(g.random);
  if (number == ReadySet::kNone) return nullptr;
  Thread* next = g.threads[number].get();
  next->state = State::kReady;
  g.self = next;
  threadIdx.x = next->index;
  blockIdx = next->block->index;
  return next;
}

// Lets the others run until this thread is ready again.
void let_others_run() {
  Gang& g = gang();
  Thread* self = g.self;
  Thread* next = take_next();
  if (next == self) return;
  if (next == nullptr && g.at_dependency != 0) {
    self->fibre.switch_to(g.caller);
    return;
  }
  if (next == nullptr) {
    g.failure = describe_deadlock();
    self->fibre.exit_to(g.caller);
  }
  self->fibre.switch_to(next->fibre);
}

void release_block(Block& block) {
  Gang& g = gang();
  block.arrived = 0;
  for (size_t w = block.first_warp; w < block.first_warp + block.warps; ++w) {
    g.ready.add(g.warps[w].first, g.warps[w].present);
  }
}

void return_from_kernel() {
  Gang& g = gang();
  Thread* self = g.self;
  if (self->copies.is_under_way()) fail(self->copied_at, "the thread has returned with asynchronous copies under way");
  if (self->products.is_under_way()) fail(self->multiplied_at, "the thread has returned with products under way");
  self->state = State::kReturned;
  Warp& warp = *self->warp;
  Block& block = *self->block;
  if (warp.arrived != 0) {
    fail(warp.site, "lane %u has returned while others of its warp wait in %s", self->index % kWarp,
         name_of(warp.what));
  }
  if (g.at_grid_barrier != 0) fail(g.grid_site, "a thread has returned while others wait in grid_sync");
  if (g.launch->kind == detail::LaunchKind::kDependent && !self->has_waited) {
    fail({"launch_dependent", 0, ""}, "the thread has returned without dependency_wait");
  }
  warp.present &= ~(1u << self->index % kWarp);
  --block.present;
  --g.present;
  if (block.arrived != 0 && block.arrived == block.present) release_block(block);
  Thread* next = take_next();
  if (next != nullptr) self->fibre.exit_to(next->fibre);
  if (g.present != 0 && g.at_dependency == 0) g.failure = describe_deadlock();
  self->fibre.exit_to(g.caller);
}

void run_thread() {
  gang().launch->body();
  return_from_kernel();
}

void complete(Warp& warp) {
  switch (warp.what) {
    case Collective::kWarpSync:
      return;
    case Collective::kShuffle: {
      uint32_t values[kWarp];
      for (int lane = 0; lane < kWarp; ++lane) values[lane] = static_cast<ShuffleOperand*>(warp.operands[lane])->value;
      for (void* operand : warp.operands) {
        auto& shuffle = *static_cast<ShuffleOperand*>(operand);
        shuffle.value = values[shuffle.source];
      }
      return;
    }
    case Collective::kBallot: {
      uint32_t votes = 0;
      for (int lane = 0; lane < kWarp; ++lane) {
        if (static_cast<BallotOperand*>(warp.operands[lane])->predicate) votes |= 1u << lane;
      }
      for (void* operand : warp.operands) static_cast<BallotOperand*>(operand)->votes = votes;
      return;
    }
    case Collective::kMultiply: {
      MultiplyOperand* lanes[kWarp];
      for (int lane = 0; lane < kWarp; ++lane) lanes[lane] = static_cast<MultiplyOperand*>(warp.operands[lane]);
      multiply_tiles(lanes);
      return;
    }
    case Collective::kLoadMatrix: {
      LoadMatrixOperand* lanes[kWarp];
      for (int lane = 0; lane < kWarp; ++lane) lanes[lane] = static_cast<LoadMatrixOperand*>(warp.operands[lane]);
      for (int lane = 0; lane < lanes[0]->tiles * 8; ++lane) {
        const void* row = lanes[lane]->row;
        if (reinterpret_cast<uintptr_t>(row) % 16 != 0) fail(warp.site, "lane %d's row is not aligned to 16", lane);
        if (!gang().self->block->shared->contains(row, 16)) {
          fail(warp.site, "lane %d's row does not lie in the block's shared memory", lane);
        }
      }
      load_tiles(lanes);
      return;
    }
  }
}

void prepare_block(Block& block, size_t number, uint3 index) {
  Gang& g = gang();
  const Launch& launch = *g.launch;
  const auto threads = static_cast<size_t>(launch.threads);
  const size_t warps = (threads + kWarp - 1) / kWarp;
  while (g.shared.size() <= number) g.shared.push_back(std::make_unique<SharedMemory>());
  SharedMemory* shared = g.shared[number].get();
  shared->reset(static_cast<size_t>(launch.shared_bytes));
  block = {index, shared, number * warps, warps, static_cast<unsigned>(threads), 0, {}};
  for (size_t w = 0; w < warps; ++w) {
    Warp& warp = g.warps[block.first_warp + w];
    const size_t lanes = std::min<size_t>(kWarp, threads - w * kWarp);
    warp = {};
    warp.first = (block.first_warp + w) * kWarp;
    warp.present = lanes == kWarp ? kAllLanes : (1u << lanes) - 1;
    for (size_t lane = 0; lane < kWarp; ++lane) {
      const size_t at = warp.first + lane;
      while (g.threads.size() <= at) g.threads.push_back(std::make_unique<Thread>());
      Thread& thread = *g.threads[at];
      thread.block = lane < lanes ? &block : nullptr;
      if (lane >= lanes) continue;
      thread.warp = &warp;
      thread.index = static_cast<unsigned>(w * kWarp + lane);
      thread.state = State::kReady;
      thread.has_waited = false;
      thread.copies.forget();
      thread.products.forget();
      thread.fibre.prepare(at * std::size(gangs) + g.number, run_thread);
    }
    g.ready.add(warp.first, warp.present);
  }
  g.present += threads;
}

void go_on();

// Runs these blocks side by side.
void run_gang(const std::vector<uint3>& indices) {
  Gang& g = gang();
  const size_t warps = (static_cast<size_t>(g.launch->threads) + kWarp - 1) / kWarp;
  g.blocks.resize(indices.size());
  g.warps.resize(indices.size() * warps);
  g.ready.reset(g.warps.size() * kWarp);
  g.present = 0;
  g.at_grid_barrier = 0;
  g.at_dependency = 0;
  for (size_t i = 0; i < indices.size(); ++i) prepare_block(g.blocks[i], i, indices[i]);
  go_on();
}

// Lets the gang's threads run until all have returned, or until those that are left wait for the launches before.
void go_on() {
  Gang& g = gang();
  g.caller.switch_to(take_next()->fibre);
  if (!g.failure.empty() || g.at_dependency != 0) return;
  for (const Block& block : g.blocks) {
    if (block.shared->is_intact()) continue;
    g.failure = "block (" + std::to_string(block.index.x) + ", " + std::to_string(block.index.y) + ", " +
                std::to_string(block.index.z) + "): something was written behind a shared array";
    return;
  }
}

}  // namespace

// ---- what kernels call

void meet(Collective what, void* operand, Site site) {
  Thread* self = gang().self;
  Warp& warp = *self->warp;
  if (warp.present != kAllLanes) fail(site, "%s in a warp of which not all 32 lanes are there", name_of(what));
  const unsigned lane = self->index % kWarp;
  if (warp.arrived == 0) {
    warp.what = what;
    warp.site = site;
  } else if (warp.what != what || warp.site.line != site.line || warp.site.file != site.file) {
    fail(site, "a warp has diverged: other lanes wait in %s at %s:%d", name_of(warp.what), file_of(warp.site),
         warp.site.line);
  }
  warp.operands[lane] = operand;
  warp.arrived |= 1u << lane;
  if (warp.arrived == kAllLanes) {
    complete(warp);
    warp.arrived = 0;
    gang().ready.add(warp.first, kAllLanes);
  } else {
    self->state = State::kInWarp;
    self->site = site;
  }
  let_others_run();
}

void wait_for_warp(Site site) {
  if (is_removed(site)) return;
  meet(Collective::kWarpSync, nullptr, site);
}

void wait_for_block(Site site) {
  if (is_removed(site)) return;
  Thread* self = gang().self;
  Block& block = *self->block;
  if (block.arrived == 0) {
    block.site = site;
  } else if (block.site.line != site.line || block.site.file != site.file) {
    fail(site, "a block has diverged: other threads wait in block_sync at %s:%d", file_of(block.site), block.site.line);
  }
  self->state = State::kAtBlockBarrier;
  self->site = site;
  if (++block.arrived == block.present) release_block(block);
  let_others_run();
}

void wait_for_dependency(Site site) {
  if (is_removed(site)) return;
  Gang& g = gang();
  g.self->has_waited = true;
  if (!g.is_ahead) return;
  g.self->state = State::kAtDependency;
  g.self->site = site;
  ++g.at_dependency;
  let_others_run();
}

void wait_for_grid(void* barrier, Site site) {
  if (is_removed(site)) return;
  Gang& g = gang();
  if (g.launch->kind != detail::LaunchKind::kCooperative) fail(site, "grid_sync in a launch that is not cooperative");
  auto* grid_barrier = static_cast<GridBarrier*>(barrier);
  if (!is_global_memory(barrier)) fail(site, "the barrier does not lie in global memory");
  if (g.present != g.blocks.size() * static_cast<size_t>(g.launch->threads)) {
    fail(site, "grid_sync after a thread has returned");
  }
  if (g.at_grid_barrier == 0) {
    if (grid_barrier->arrived != 0) fail(site, "the barrier was not zeroed");
    g.grid_site = site;
    g.grid_barrier = grid_barrier;
  } else if (g.grid_site.line != site.line || g.grid_site.file != site.file) {
    fail(site, "a grid has diverged: other threads wait in grid_sync at %s:%d", file_of(g.grid_site), g.grid_site.line);
  } else if (g.grid_barrier != grid_barrier) {
    fail(site, "threads wait at different barriers");
  }
  g.self->state = State::kAtGridBarrier;
  g.self->site = site;
  if (++g.at_grid_barrier == g.present) {
    g.at_grid_barrier = 0;
    ++grid_barrier->generation;
    for (const Warp& warp : g.warps) g.ready.add(warp.first, warp.present);
  }
  let_others_run();
}

void* static_shared(const void* key, size_t bytes, size_t alignment, Site site) {
  SharedMemory& shared = *gang().self->block->shared;
  void* data = shared.array(key, bytes, alignment);
  if (data == nullptr) {
    fail(site, "%zu bytes of shared arrays; %zu are allowed", shared.static_bytes() + bytes,
         SharedMemory::kStaticLimit);
  }
  const auto limit = static_cast<size_t>(settings().shared_bytes);
  if (shared.static_bytes() + shared.dynamic_bytes() > limit) {
    fail(site, "%zu bytes of shared memory, of which %zu are dynamic; %zu are allowed",
         shared.static_bytes() + shared.dynamic_bytes(), shared.dynamic_bytes(), limit);
  }
  return data;
}

void* dynamic_shared(Site site) {
  SharedMemory& shared = *gang().self->block->shared;
  if (shared.dynamic_bytes() == 0) fail(site, "a launch without dynamic shared memory");
  return shared.dynamic();
}

void copy_async(void* shared, const void* global, bool valid, Site site) {
  Thread* self = gang().self;
  if (reinterpret_cast<uintptr_t>(shared) % 16 != 0) fail(site, "the target is not aligned to 16");
  if (!self->block->shared->contains(shared, AsyncCopies::kBytes)) {
    fail(site, "the target does not lie in the block's shared memory");
  }
  if (valid) check_access_16(global, true, site);
  self->copied_at = site;
  self->copies.issue(shared, global, valid);
}

void commit_copies(Site site) {
  if (is_removed(site)) return;
  gang().self->copies.commit();
}

void wait_for_copies(unsigned younger, Site site) {
  if (is_removed(site)) return;
  const char* wrong = gang().self->copies.wait(younger);
  if (wrong != nullptr) fail(site, "%s", wrong);
}

void group_multiply(float* d, int columns, const void* a, const void* b, int k, Site site) {
  constexpr size_t kRowBytes = 128;
  constexpr unsigned kTileRows = 64;
  constexpr unsigned kThreads = 128;
  Thread* self = gang().self;
  for (const void* tile : {a, b}) {
    if (reinterpret_cast<uintptr_t>(tile) % (8 * kRowBytes) != 0) fail(site, "a tile is not aligned to 1024");
    const size_t rows = tile == a ? kTileRows : static_cast<size_t>(columns);
    if (!self->block->shared->contains(tile, rows * kRowBytes)) {
      fail(site, "a tile does not lie in the block's shared memory");
    }
  }
  self->multiplied_at = site;
  self->products.issue(d, columns, a, b, k, static_cast<int>(self->index % kThreads));
}

void commit_products(Site site) {
  if (is_removed(site)) return;
  gang().self->products.commit();
}

void wait_for_products(unsigned younger, Site site) {
  if (is_removed(site)) return;
  const char* wrong = gang().self->products.wait(younger);
  if (wrong != nullptr) fail(site, "%s", wrong);
}

void check_access_16(const void* address, bool global, Site site) {
  if (reinterpret_cast<uintptr_t>(address) % 16 != 0) fail(site, "the address %p is not aligned to 16", address);
  if (global && !is_global_memory(address)) fail(site, "the address %p is not that of global memory", address);
}

// ---- launches

std::string kernel_name(const Launch& launch) {
  const std::string signature = launch.signature;  // "... [with auto kKernel = name]"
  const std::string start = "kKernel = ";
  const size_t at = signature.find(start);
  if (at == std::string::npos) return signature;
  return signature.substr(at + start.size(), signature.size() - at - start.size() - 1);
}

namespace {

// The gang's launch becomes the one whose threads run.
void enter(Gang& g) {
  the_gang = &g;
  gridDim = g.launch->grid;
  blockDim = dim3(static_cast<unsigned>(g.launch->threads));
}

// For this launch, the gang that has nothing begun.
void set_up(const Launch& launch) {
  if (gangs[0] == nullptr) {
    for (size_t i = 0; i < std::size(gangs); ++i) {
      gangs[i] = new Gang;
      gangs[i]->number = i;
    }
  }
  Gang& g = *(begun_gang == gangs[0] ? gangs[1] : gangs[0]);
  g.launch = &launch;
  g.failure.clear();
  g.is_ahead = false;
  g.order.resize(size_t{launch.grid.x} * launch.grid.y * launch.grid.z);
  g.begun = 0;
  std::iota(g.order.begin(), g.order.end(), size_t{0});
  if (settings().order == Order::kReverse) std::reverse(g.order.begin(), g.order.end());
  if (settings().order == Order::kShuffled) {
    for (size_t i = g.order.size(); i > 1; --i) std::swap(g.order[i - 1], g.order[g.random.below(i)]);
  }
  enter(g);
}

uint3 index_of(size_t number) {
  const dim3 grid = gang().launch->grid;
  return {static_cast<unsigned>(number % grid.x), static_cast<unsigned>(number / grid.x % grid.y),
          static_cast<unsigned>(number / grid.x / grid.y)};
}

void run_next_block() {
  Gang& g = gang();
  run_gang({index_of(g.order[g.begun++])});
}

// The launches before the one that has begun have ended.
void release_dependency() {
  Gang& g = gang();
  g.is_ahead = false;
  if (!g.failure.empty() || g.at_dependency == 0) return;
  g.at_dependency = 0;
  for (const Warp& warp : g.warps) {
    for (size_t lane = 0; lane < kWarp; ++lane) {
      if ((warp.present >> lane & 1) != 0 && g.threads[warp.first + lane]->state == State::kAtDependency) {
        g.ready.add(warp.first, 1u << lane);
      }
    }
  }
  go_on();
}

}  // namespace

void begin_grid(const Launch& launch) {
  if (begun_gang != nullptr) return;
  set_up(launch);
  begun_gang = the_gang;
  begun_gang->is_ahead = true;
  run_next_block();
}

void forget_begun_grid() { begun_gang = nullptr; }

std::string run_grid(const Launch& launch) {
  if (begun_gang != nullptr && begun_gang->launch == &launch) {
    enter(*begun_gang);
    begun_gang = nullptr;
    release_dependency();
  } else {
    set_up(launch);
  }
  Gang& g = gang();
  if (launch.kind == detail::LaunchKind::kCooperative) {
    std::vector<uint3> indices;
    for (size_t number = 0; number < g.order.size(); ++number) indices.push_back(index_of(number));
    run_gang(indices);
  } else {
    while (g.begun < g.order.size() && g.failure.empty()) run_next_block();
  }
  return g.failure.empty() ? "" : "kernel " + kernel_name(launch) + ", " + g.failure;
}

}  // namespace gtr::cuda::emu
