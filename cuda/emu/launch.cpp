// Kernels on streams and in graphs.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "device.h"
#include "faults.h"
#include "grid.h"
#include "memory_work.h"
#include "ready_set.h"
#include "settings.h"
#include "stream.h"

using namespace gtr::cuda::emu;

struct CUgraphNode_st {
  Work work;
  std::vector<CUgraphNode_st*> dependencies;
};

struct CUgraph_st {
  std::vector<std::unique_ptr<CUgraphNode_st>> nodes;
};

struct CUgraphExec_st {
  std::vector<Work> works;  // in an order that the dependencies allow
};

namespace {

constexpr int kMaxThreads = 1024;
constexpr unsigned kMaxGridYZ = 65535;

// As the device would answer it; with a sentence on stderr, which the device would not give.
cudaError_t check_launch(const Launch& launch) {
  const auto refuse = [&](cudaError_t error, const char* why) {
    std::fprintf(stderr, "cuda-emu: kernel %s cannot be launched: %s (grid %u x %u x %u, %d threads, %lld bytes)\n",
                 kernel_name(launch).c_str(), why, launch.grid.x, launch.grid.y, launch.grid.z, launch.threads,
                 static_cast<long long>(launch.shared_bytes));
    return error;
  };
  if (launch.threads < 1 || launch.threads > kMaxThreads) {
    return refuse(cudaErrorInvalidConfiguration, "a block has 1 to 1024 threads");
  }
  if (launch.grid.x > INT32_MAX || launch.grid.y > kMaxGridYZ || launch.grid.z > kMaxGridYZ) {
    return refuse(cudaErrorInvalidConfiguration, "a grid has at most 2147483647 x 65535 x 65535 blocks");
  }
  if (launch.shared_bytes < 0 || launch.shared_bytes > settings().shared_bytes) {
    return refuse(cudaErrorInvalidValue, "that is more shared memory than a block can have");
  }
  if (launch.kind == gtr::cuda::detail::LaunchKind::kCooperative) {
    int blocks = 0;
    cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, static_cast<const void*>(nullptr), launch.threads,
                                                  static_cast<size_t>(launch.shared_bytes));
    if (size_t{launch.grid.x} * launch.grid.y * launch.grid.z >
        static_cast<size_t>(blocks) * static_cast<size_t>(settings().multiprocessors)) {
      return refuse(cudaErrorCooperativeLaunchTooLarge, "not all blocks of a cooperative launch can be resident");
    }
  }
  return cudaSuccess;
}

cudaError_t execute(const Launch& launch) {
  if (launch_must_fail()) {
    report_failure("kernel " + kernel_name(launch) + ": fails as was asked for");
    return cudaErrorLaunchFailure;
  }
  const std::string wrong = run_grid(launch);
  if (wrong.empty()) return cudaSuccess;
  report_failure(wrong);
  return cudaErrorLaunchFailure;
}

cudaGraphNode_t add_node(cudaGraph_t graph, const cudaGraphNode_t* dependencies, size_t count, Work work) {
  auto node = std::make_unique<CUgraphNode_st>();
  node->work = std::move(work);
  node->dependencies.assign(dependencies, dependencies + count);
  graph->nodes.push_back(std::move(node));
  return graph->nodes.back().get();
}

// Of nodes that can go first; by the order of their creation.
class FreeNodes {
 public:
  void add(size_t node) {
    nodes_.push_back(node);
    if (order_ != Order::kShuffled) std::push_heap(nodes_.begin(), nodes_.end(), is_later_);
  }
  bool empty() const { return nodes_.empty(); }
  // Takes out the first, the last or any.
  size_t take() {
    if (order_ == Order::kShuffled) {
      std::swap(nodes_[random_.below(nodes_.size())], nodes_.back());
    } else {
      std::pop_heap(nodes_.begin(), nodes_.end(), is_later_);
    }
    const size_t node = nodes_.back();
    nodes_.pop_back();
    return node;
  }

 private:
  const Order order_ = settings().order;
  const std::function<bool(size_t, size_t)> is_later_ = [this](size_t a, size_t b) {
    return order_ == Order::kForward ? a > b : a < b;
  };
  Random random_{settings().seed};
  std::vector<size_t> nodes_;  // a heap, unless shuffled
};

std::vector<Work> arrange(const CUgraph_st& graph) {
  const size_t count = graph.nodes.size();
  std::unordered_map<const CUgraphNode_st*, size_t> number_of;
  for (size_t node = 0; node < count; ++node) number_of[graph.nodes[node].get()] = node;
  std::vector<std::vector<size_t>> dependents(count);
  std::vector<size_t> waits_for(count);  // so many nodes that have not gone
  FreeNodes free;
  for (size_t node = 0; node < count; ++node) {
    for (const CUgraphNode_st* dependency : graph.nodes[node]->dependencies) {
      dependents[number_of.at(dependency)].push_back(node);
    }
    waits_for[node] = graph.nodes[node]->dependencies.size();
    if (waits_for[node] == 0) free.add(node);
  }
  std::vector<Work> works;
  works.reserve(count);
  while (!free.empty()) {
    const size_t node = free.take();
    works.push_back(graph.nodes[node]->work);
    for (const size_t dependent : dependents[node]) {
      if (--waits_for[dependent] == 0) free.add(dependent);
    }
  }
  return works;
}

}  // namespace

namespace gtr::cuda::emu {

void enqueue(Queue& queue, Launch launch) noexcept {
  cudaError_t state = check_device();
  if (state == cudaSuccess) state = check_launch(launch);
  queue.note(state);
  note(state);
  if (state != cudaSuccess) return;
  const bool cooperative = launch.kind == detail::LaunchKind::kCooperative;
  const bool overlaps = launch.kind == detail::LaunchKind::kDependent && queue.overlaps &&
                        (queue.graph == nullptr || queue.last != nullptr);
  const auto shared = std::make_shared<const Launch>(std::move(launch));
  Work work{[shared] { return execute(*shared); }, {}};
  if (overlaps) work.begin = [shared] { begin_grid(*shared); };
  if (queue.graph == nullptr) {
    enqueue(queue.stream, std::move(work));
  } else if (cooperative) {
    queue.note(note(cudaErrorNotSupported));
  } else {
    queue.last = add_node(queue.graph, &queue.last, queue.last == nullptr ? 0 : 1, std::move(work));
  }
}

}  // namespace gtr::cuda::emu

extern "C" {

cudaError_t cudaGraphCreate(cudaGraph_t* graph, unsigned) {
  const cudaError_t state = check_device();
  if (state != cudaSuccess) return note(state);
  *graph = new CUgraph_st;
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return note(check_device());
}

cudaError_t cudaGraphAddMemcpyNode1D(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* dependencies,
                                     size_t dependency_count, void* target, const void* source, size_t bytes,
                                     cudaMemcpyKind kind) {
  Work work;
  const cudaError_t error = copy_work(target, source, bytes, kind, &work);
  if (error != cudaSuccess) return note(error);
  *node = add_node(graph, dependencies, dependency_count, std::move(work));
  return cudaSuccess;
}

cudaError_t cudaGraphAddMemsetNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* dependencies,
                                   size_t dependency_count, const cudaMemsetParams* parameters) {
  if (parameters->elementSize != 1 || parameters->height != 1) return note(cudaErrorNotSupported);
  Work work;
  const cudaError_t error = fill_work(parameters->dst, static_cast<int>(parameters->value), parameters->width, &work);
  if (error != cudaSuccess) return note(error);
  *node = add_node(graph, dependencies, dependency_count, std::move(work));
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  const cudaError_t state = check_device();
  if (state != cudaSuccess) return note(state);
  *exec = new CUgraphExec_st{arrange(*graph)};
  return cudaSuccess;
}

cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) { return note(check_device()); }

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  const cudaError_t state = check_device();
  if (state != cudaSuccess) return note(state);
  for (const Work& work : exec->works) enqueue(stream, work);
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return note(check_device());
}

}  // extern "C"
