#include "head_graph.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "errors.h"
#include "memory.h"

namespace gtr::cuda {
namespace {

constexpr int kMostGraphs = 32;
// Building and instantiating takes some microseconds a node, and each node some hundred bytes of the device's memory.
// A chain of more, 1000 steps of a head with 6 blocks or so, computes long enough to be launched meanwhile.
constexpr int64_t kMostNodes = 20000;
constexpr int64_t kMostGroups = 64;  // that a key remembers

// What a graph's nodes depend on, beside the stream that it is for. A head's id, unlike its address, is never used
// again, so a graph that has outlived its head is never found.
struct ChainKey {
  uint64_t head;
  const void* scratch;
  int64_t modulation_bytes;
  int64_t group_count;
  gtr_chain_group groups[kMostGroups];

  ChainKey(const Head& of, const gtr_chain& chain, const void* scratch_address) noexcept
      : head(of.id),
        scratch(scratch_address),
        modulation_bytes(chain.modulation_bytes),
        group_count(chain.group_count) {
    std::copy_n(chain.groups, group_count, groups);
  }
  ChainKey() noexcept : head(0) {}

  bool operator==(const ChainKey& other) const noexcept {
    const auto same = [](const gtr_chain_group& a, const gtr_chain_group& b) {
      return a.rows == b.rows && a.steps == b.steps && a.guided == b.guided;
    };
    return head == other.head && scratch == other.scratch && modulation_bytes == other.modulation_bytes &&
           group_count == other.group_count && std::equal(groups, groups + group_count, other.groups, same);
  }
};

struct ChainGraph {
  ChainKey key;
  cudaGraphExec_t executable = nullptr;  // null: the entry is free
  uint64_t last_use = 0;
};

}  // namespace

struct GraphCache {
  Device* device;
  bool direct;  // GTR_HEAD
  uint64_t uses;
  ChainGraph graphs[kMostGraphs];
};

namespace {

bool fits_a_graph(const GraphCache& cache, const gtr_chain& chain, const ChainPlan& plan) noexcept {
  return !cache.direct && chain.group_count <= kMostGroups && plan.launches() <= kMostNodes;
}

// Null if it cannot be built, for want of memory or because the stream is cancelled.
cudaGraphExec_t build(const Context& context, const gtr_chain& chain, ChainPlan& plan) noexcept {
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  cudaError_t result = cudaGraphCreate(&graph, 0);
  if (result == cudaSuccess) {
    Context recording = context;
    recording.queue.graph = graph;
    recording.queue.last = nullptr;
    recording.queue.error = cudaSuccess;
    plan.enqueue(recording, chain.groups[0].steps - 1, 0, true);
    result = recording.queue.error;
    const bool cancelled = context.cancel_requested->load(std::memory_order_relaxed);
    if (result == cudaSuccess && !cancelled) result = cudaGraphInstantiate(&executable, graph, 0);
    cudaGraphDestroy(graph);
  }
  if (result == cudaSuccess) return executable;
  cudaGetLastError();  // launches without a graph will tell what is wrong, if they fail, too
  return nullptr;
}

void drop(ChainGraph& graph) noexcept {
  cudaGraphExecDestroy(graph.executable);
  graph.executable = nullptr;
}

// The chain's graph, found or built; null if there is none.
ChainGraph* graph_of(Context& context, const ChainKey& key, const gtr_chain& chain, ChainPlan& plan) noexcept {
  GraphCache& cache = *context.graphs;
  ChainGraph* oldest = &cache.graphs[0];
  for (ChainGraph& graph : cache.graphs) {
    if (graph.executable != nullptr && graph.key == key) {
      graph.last_use = ++cache.uses;
      return &graph;
    }
    if (graph.last_use < oldest->last_use) oldest = &graph;
  }
  if (oldest->executable != nullptr) {
    context.queue.note(cudaStreamSynchronize(context.queue.stream));  // it may be running
    drop(*oldest);
  }
  oldest->executable = build(context, chain, plan);
  if (oldest->executable == nullptr) return nullptr;
  oldest->key = key;
  oldest->last_use = ++cache.uses;
  return oldest;
}

// False if GTR_HEAD is set to what is not allowed.
bool read_mode(bool* direct) noexcept {
  const char* text = std::getenv("GTR_HEAD");
  *direct = text != nullptr && std::strcmp(text, "direct") == 0;
  return text == nullptr || text[0] == '\0' || *direct || std::strcmp(text, "graph") == 0;
}

}  // namespace

gtr_status graph_cache_create(Device& device, const char* operation, GraphCache** cache) noexcept {
  *cache = nullptr;
  bool direct = false;
  if (!read_mode(&direct)) {
    return fail(GTR_ERROR_INVALID_ARGUMENT, operation, "GTR_HEAD",
                "the environment variable GTR_HEAD is \"%.60s\"; allowed are graph, direct", std::getenv("GTR_HEAD"));
  }
  void* place = host_memory(device).allocate(sizeof(GraphCache));
  if (place == nullptr) {
    return fail(GTR_ERROR_OUT_OF_MEMORY, operation, "", "no memory for the stream's list of graphs, %lld bytes",
                static_cast<long long>(sizeof(GraphCache)));
  }
  *cache = new (place) GraphCache{&device, direct, 0, {}};
  return GTR_OK;
}

void graph_cache_destroy(GraphCache* cache) noexcept {
  if (cache == nullptr) return;
  for (ChainGraph& graph : cache->graphs) {
    if (graph.executable != nullptr) drop(graph);
  }
  host_memory(*cache->device).release(cache, sizeof(GraphCache));
}

void enqueue_chain(Context& context, const Head& head, const gtr_chain& chain, ChainPlan& plan,
                   const void* scratch) noexcept {
  const ChainGraph* graph = nullptr;
  if (fits_a_graph(*context.graphs, chain, plan)) {
    graph = graph_of(context, ChainKey(head, chain, scratch), chain, plan);
  }
  if (graph != nullptr) {
    if (context.queue.error == cudaSuccess) {
      context.queue.note(cudaGraphLaunch(graph->executable, context.queue.stream));
    }
  } else {
    plan.enqueue(context, chain.groups[0].steps - 1, 0, true);
  }
}

void prepare_chain(Context& context, const Head& head, const gtr_chain& chain, ChainPlan& plan,
                   const void* scratch) noexcept {
  if (!fits_a_graph(*context.graphs, chain, plan)) return;
  const ChainGraph* graph = graph_of(context, ChainKey(head, chain, scratch), chain, plan);
  if (graph != nullptr) context.queue.note(cudaGraphUpload(graph->executable, context.queue.stream));
}

}  // namespace gtr::cuda
