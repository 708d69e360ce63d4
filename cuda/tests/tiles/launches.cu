// Dynamic shared memory up to what the card gives a block, block_sync, grid_sync of a cooperative launch, and kernels
// as nodes of a graph.
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
}

}  // namespace gtr::cuda::tiles
