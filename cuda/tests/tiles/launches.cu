// Dynamic shared memory up to what the card gives a block, block_sync, grid_sync of a cooperative launch, kernels as
// nodes of a graph, and launches that overlap.
#include <algorithm>

#include "check.h"

namespace gtr::cuda::tiles {
namespace {

constexpr int kThreads = 128;

// words of dynamic shared memory, written by one thread and read by another; out [blocks][words].
__global__ void shared_kernel(int32_t words, uint32_t* out, uint32_t* misaligned) {
  auto* shared = dynamic_shared<uint32_t>();
  const int thread = static_cast<int>(threadIdx.x);
  const auto block = static_cast<uint32_t>(blockIdx.x);
  for (int i = thread; i < words; i += kThreads) shared[i] = block * 1000003u + static_cast<uint32_t>(i);
  block_sync();
  for (int i = thread; i < words; i += kThreads) {
    out[static_cast<int64_t>(block) * words + i] = shared[words - 1 - i];
  }
  if (thread == 0) misaligned[block] = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(shared) % 128);
}

void check_shared(int64_t bytes) {
  const std::string name = "dynamic_shared, " + std::to_string(bytes) + " bytes";
  Check check(name.c_str());
  constexpr int kBlocks = 3;
  const auto words = static_cast<int32_t>(bytes / 4);
  Array<uint32_t> out_array(static_cast<size_t>(kBlocks * words));
  Array<uint32_t> misaligned_array(kBlocks);
  run<shared_kernel>(kBlocks, kThreads, bytes, words, out_array.device(), misaligned_array.device());
  const std::vector<uint32_t>& out = out_array.download();
  for (int i = 0; i < kBlocks * words; ++i) {
    const auto block = static_cast<uint32_t>(i / words);
    const auto word = static_cast<uint32_t>(words - 1 - i % words);
    check.bits(i, out[static_cast<size_t>(i)], block * 1000003u + word);
  }
  for (int block = 0; block < kBlocks; ++block) {
    check.bits(-1 - block, misaligned_array.download()[static_cast<size_t>(block)], 0);
  }
}

constexpr int kRounds = 5;

// Blocks take turns: in each round all of them add up what all wrote in the round before. sums [kRounds + 1][blocks],
// the first round given.
__global__ void grid_kernel(GridBarrier* barrier, uint32_t* sums) {
  const auto blocks = static_cast<int>(gridDim.x);
  for (int round = 0; round < kRounds; ++round) {
    if (threadIdx.x == 0) {
      uint32_t sum = blockIdx.x;
      for (int i = 0; i < blocks; ++i) sum += load_relaxed(sums + round * blocks + i);
      sums[(round + 1) * blocks + static_cast<int>(blockIdx.x)] = sum;
    }
    grid_sync(*barrier);
  }
}

void check_grid(int multiprocessors) {
  Check check("grid_sync");
  const int blocks = std::max(1, std::min(2, resident_blocks<grid_kernel>(kThreads, 0))) * multiprocessors;
  std::vector<uint32_t> expected(static_cast<size_t>((kRounds + 1) * blocks));
  for (int i = 0; i < blocks; ++i) expected[static_cast<size_t>(i)] = static_cast<uint32_t>(i * 7 + 1);
  std::vector<uint32_t> start = expected;
  for (int round = 0; round < kRounds; ++round) {
    uint32_t sum = 0;
    for (int i = 0; i < blocks; ++i) sum += expected[static_cast<size_t>(round * blocks + i)];
    for (int i = 0; i < blocks; ++i) {
      expected[static_cast<size_t>((round + 1) * blocks + i)] = sum + static_cast<uint32_t>(i);
    }
  }
  Array<uint32_t> sums_array(start);
  Array<GridBarrier> barrier_array(1);
  Queue queue;
  require(cudaStreamCreateWithFlags(&queue.stream, cudaStreamNonBlocking), "cudaStreamCreate");
  launch_cooperative<grid_kernel>(queue, dim3(static_cast<unsigned>(blocks)), kThreads, 0, barrier_array.device(),
                                  sums_array.device());
  require(queue.error, "cooperative launch");
  require(cudaStreamSynchronize(queue.stream), "cooperative kernel");
  require(cudaStreamDestroy(queue.stream), "cudaStreamDestroy");
  const std::vector<uint32_t>& sums = sums_array.download();
  for (size_t i = 0; i < sums.size(); ++i) check.bits(static_cast<int64_t>(i), sums[i], expected[i]);
}

// value [1] becomes 3 value + add.
__global__ void node_kernel(uint32_t* value, uint32_t add) { *value = 3 * *value + add; }

void check_graph() {
  Check check("launch into a graph");
  Array<uint32_t> value_array(std::vector<uint32_t>{1});
  Queue queue;
  require(cudaGraphCreate(&queue.graph, 0), "cudaGraphCreate");
  uint32_t expected = 1;
  for (uint32_t i = 0; i < 20; ++i) launch<node_kernel>(queue, dim3(1), 1, 0, value_array.device(), i);
  require(queue.error, "graph node");
  cudaGraphExec_t graph = nullptr;
  require(cudaGraphInstantiate(&graph, queue.graph, 0), "cudaGraphInstantiate");
  cudaStream_t stream = nullptr;
  require(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");
  for (int run_number = 0; run_number < 3; ++run_number) {
    require(cudaGraphLaunch(graph, stream), "cudaGraphLaunch");
    for (uint32_t i = 0; i < 20; ++i) expected = 3 * expected + i;
  }
  require(cudaStreamSynchronize(stream), "graph");
  check.bits(0, value_array.download()[0], expected);
  require(cudaGraphExecDestroy(graph), "cudaGraphExecDestroy");
  require(cudaGraphDestroy(queue.graph), "cudaGraphDestroy");
  require(cudaStreamDestroy(stream), "cudaStreamDestroy");
}

__global__ void overlaps_kernel(uint32_t* overlaps) { *overlaps = kOverlaps ? 1 : 0; }

constexpr uint32_t kFactor = 2654435761u;

// to[i] = 3 from[j] + add for a j of another block. Blocks end at different times; a launch that did not wait for all
// of them would read what was there three launches ago, or write what is still being read.
__global__ void overlapping_kernel(const uint32_t* from, uint32_t* to, uint32_t add) {
  dependents_launch();
  const uint32_t count = gridDim.x * kThreads;
  const uint32_t i = blockIdx.x * kThreads + threadIdx.x;
  dependency_wait();
  uint32_t j = i;
  for (uint32_t round = 0; round < 1 + blockIdx.x % 7 * 20; ++round) j = (j * kFactor + add) % count;
  to[i] = 3 * from[j] + add;
}

void check_overlap(int multiprocessors, bool in_graph) {
  Check check(in_graph ? "dependency_wait in a graph" : "dependency_wait");
  constexpr uint32_t kLaunches = 60;
  Array<uint32_t> overlaps_array(1);
  run<overlaps_kernel>(1, 1, 0, overlaps_array.device());
  const auto blocks = static_cast<uint32_t>(3 * multiprocessors);
  const uint32_t count = blocks * kThreads;
  std::vector<uint32_t> values(count);
  for (uint32_t i = 0; i < count; ++i) values[i] = i * kFactor;
  Array<uint32_t> first(values);
  Array<uint32_t> second(count);
  Array<uint32_t> third(count);
  uint32_t* const buffers[] = {first.device(), second.device(), third.device()};
  Queue queue;
  queue.overlaps = overlaps_array.download()[0] != 0;
  require(cudaStreamCreateWithFlags(&queue.stream, cudaStreamNonBlocking), "cudaStreamCreate");
  if (in_graph) require(cudaGraphCreate(&queue.graph, 0), "cudaGraphCreate");
  for (uint32_t n = 0; n < kLaunches; ++n) {
    launch_dependent<overlapping_kernel>(queue, dim3(blocks), kThreads, 0, static_cast<const uint32_t*>(buffers[n % 3]),
                                         buffers[(n + 1) % 3], n);
    std::vector<uint32_t> next(count);
    for (uint32_t i = 0; i < count; ++i) {
      uint32_t j = i;
      for (uint32_t round = 0; round < 1 + i / kThreads % 7 * 20; ++round) j = (j * kFactor + n) % count;
      next[i] = 3 * values[j] + n;
    }
    values = next;
  }
  require(queue.error, "dependent launch");
  cudaGraphExec_t graph = nullptr;
  if (in_graph) {
    require(cudaGraphInstantiate(&graph, queue.graph, 0), "cudaGraphInstantiate");
    require(cudaGraphLaunch(graph, queue.stream), "cudaGraphLaunch");
  }
  require(cudaStreamSynchronize(queue.stream), "dependent kernels");
  static_assert(kLaunches % 3 == 0, "the last one writes to the first buffer");
  for (uint32_t i = 0; i < count; ++i) check.bits(i, i == 0 ? first.download()[0] : first.host[i], values[i]);
  if (in_graph) {
    require(cudaGraphExecDestroy(graph), "cudaGraphExecDestroy");
    require(cudaGraphDestroy(queue.graph), "cudaGraphDestroy");
  }
  require(cudaStreamDestroy(queue.stream), "cudaStreamDestroy");
}

}  // namespace

void check_launches() {
  int shared_bytes = 0;
  int multiprocessors = 0;
  require(cudaDeviceGetAttribute(&shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0), "shared memory");
  require(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, 0), "multiprocessors");
  for (const int64_t bytes : {int64_t{1024}, int64_t{48} << 10, static_cast<int64_t>(shared_bytes)}) {
    check_shared(bytes);
  }
  check_grid(multiprocessors);
  check_graph();
  check_overlap(multiprocessors, false);
  check_overlap(multiprocessors, true);
}

}  // namespace gtr::cuda::tiles
