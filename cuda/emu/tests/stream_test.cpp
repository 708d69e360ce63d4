// When things happen: not before somebody waits, and in the order of streams, events and graphs.
#include <thread>

#include "test.h"

namespace gtr::cuda::test {
namespace {

__global__ void add_kernel(int32_t* value, int32_t summand) { *value += summand; }
__global__ void copy_kernel(const int32_t* from, int32_t* to) { *to = *from; }
__global__ void times_kernel(int32_t* value, int32_t factor) { *value *= factor; }
__global__ void step_kernel(const int32_t* stop, int32_t* last, int32_t step) {
  if (load_relaxed(stop) == 0) *last = step;
}

// Pinned memory, which host and device share.
struct Pinned {
  explicit Pinned(int32_t value) {
    EXPECT_OK(cudaHostAlloc(&data, sizeof(int32_t), cudaHostAllocDefault));
    *data = value;
  }
  ~Pinned() { cudaFreeHost(data); }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  int32_t* data = nullptr;
};

void test_deferred() {
  Pinned value(1);
  Stream stream;
  launch<add_kernel>(stream.queue, 1, 1, 0, value.data, 10);
  launch<times_kernel>(stream.queue, 1, 1, 0, value.data, 2);
  EXPECT(*value.data == 1);
  EXPECT_OK(stream.wait());
  EXPECT(*value.data == 22);
}

// Pageable memory is read at the call, pinned memory when the stream gets there.
void test_copies() {
  Array<int32_t> device(std::vector<int32_t>{0, 0});
  Pinned pinned(5);
  int32_t pageable = 6;
  Stream stream;
  EXPECT_OK(cudaMemcpyAsync(device.data(), pinned.data, 4, cudaMemcpyHostToDevice, stream.queue.stream));
  EXPECT_OK(cudaMemcpyAsync(device.data() + 1, &pageable, 4, cudaMemcpyHostToDevice, stream.queue.stream));
  *pinned.data = 50;
  pageable = 60;
  EXPECT_OK(stream.wait());
  EXPECT(device.download()[0] == 50 && device.host[1] == 6);

  // To pinned memory it waits for nobody, to pageable memory it is done when the call returns.
  *pinned.data = 0;
  launch<add_kernel>(stream.queue, 1, 1, 0, device.data(), 1);
  EXPECT_OK(cudaMemcpyAsync(pinned.data, device.data(), 4, cudaMemcpyDeviceToHost, stream.queue.stream));
  EXPECT(*pinned.data == 0);
  EXPECT_OK(cudaMemcpyAsync(&pageable, device.data(), 4, cudaMemcpyDeviceToHost, stream.queue.stream));
  EXPECT(pageable == 51 && *pinned.data == 51);

  EXPECT(cudaMemcpy(&pageable, &pageable, 4, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  EXPECT(cudaMemcpy(device.data(), pinned.data, 4, cudaMemcpyDeviceToHost) == cudaErrorInvalidValue);
  cudaGetLastError();
  EXPECT_OK(cudaMemsetAsync(device.data(), 1, 4, stream.queue.stream));
  EXPECT_OK(cudaMemcpyAsync(device.data() + 1, device.data(), 4, cudaMemcpyDefault, stream.queue.stream));
  EXPECT_OK(stream.wait());
  EXPECT(device.download()[0] == 0x01010101 && device.host[1] == 0x01010101);
}

void test_events() {
  Pinned value(1);
  Pinned copied(0);
  Stream first;
  Stream second;
  cudaEvent_t event = nullptr;
  cudaEvent_t start = nullptr;
  EXPECT_OK(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
  EXPECT_OK(cudaEventCreate(&start));
  EXPECT_OK(cudaEventQuery(event));  // never recorded: nothing to wait for
  launch<add_kernel>(first.queue, 1, 1, 0, value.data, 1);
  EXPECT_OK(cudaEventRecord(start, first.queue.stream));
  launch<add_kernel>(first.queue, 1, 1, 0, value.data, 1);
  EXPECT_OK(cudaEventRecord(event, first.queue.stream));
  launch<add_kernel>(first.queue, 1, 1, 0, value.data, 100);
  EXPECT_OK(cudaStreamWaitEvent(second.queue.stream, event));
  launch<copy_kernel>(second.queue, 1, 1, 0, value.data, copied.data);
  float milliseconds = -1;
  EXPECT(cudaEventElapsedTime(&milliseconds, start, event) == cudaErrorNotReady);
  EXPECT_OK(second.wait());
  EXPECT(*copied.data == 3 && *value.data == 3);  // the first stream went as far as it had to
  EXPECT_OK(cudaEventElapsedTime(&milliseconds, start, event));
  EXPECT(milliseconds >= 0);
  EXPECT_OK(first.wait());
  EXPECT(*value.data == 103);

  launch<add_kernel>(first.queue, 1, 1, 0, value.data, 1);
  EXPECT_OK(cudaEventRecord(event, first.queue.stream));
  EXPECT(cudaEventQuery(event) == cudaErrorNotReady);
  EXPECT_OK(cudaEventSynchronize(event));
  EXPECT(*value.data == 104);
  EXPECT_OK(cudaEventQuery(event));
  EXPECT_OK(cudaEventDestroy(event));
  EXPECT_OK(cudaEventDestroy(start));
}

// A host that polls comes to the end.
void test_query() {
  Pinned value(0);
  Stream stream;
  for (int i = 0; i < 3; ++i) launch<add_kernel>(stream.queue, 1, 1, 0, value.data, 1);
  int polls = 0;
  while (cudaStreamQuery(stream.queue.stream) == cudaErrorNotReady && polls < 100) ++polls;
  EXPECT(polls == 2 && *value.data == 3);
}

// The null stream and blocking streams take turns; a non-blocking stream stands aside.
void test_null_stream() {
  Pinned value(1);
  Pinned aside(1);
  cudaStream_t blocking = nullptr;
  EXPECT_OK(cudaStreamCreate(&blocking));
  Stream free;
  Queue null_queue;
  Queue blocking_queue;
  blocking_queue.stream = blocking;
  launch<add_kernel>(blocking_queue, 1, 1, 0, value.data, 1);
  launch<times_kernel>(null_queue, 1, 1, 0, value.data, 10);
  launch<add_kernel>(blocking_queue, 1, 1, 0, value.data, 3);
  launch<add_kernel>(free.queue, 1, 1, 0, aside.data, 1);
  EXPECT_OK(cudaStreamSynchronize(nullptr));
  EXPECT(*value.data == 20 && *aside.data == 1);
  EXPECT_OK(cudaStreamSynchronize(blocking));
  EXPECT(*value.data == 23 && *aside.data == 1);
  EXPECT_OK(cudaDeviceSynchronize());
  EXPECT(*aside.data == 2);
  EXPECT_OK(cudaStreamDestroy(blocking));
  EXPECT(cudaStreamSynchronize(blocking) == cudaErrorInvalidResourceHandle);
  cudaGetLastError();
}

void test_graph() {
  Pinned value(1);
  Stream stream;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  EXPECT_OK(cudaGraphCreate(&graph, 0));
  Queue building;
  building.graph = graph;
  launch<add_kernel>(building, 1, 1, 0, value.data, 1);
  launch<times_kernel>(building, 1, 1, 0, value.data, 3);
  launch<add_kernel>(building, 1, 1, 0, value.data, 1);
  EXPECT_OK(building.error);
  EXPECT(building.last != nullptr);
  EXPECT_OK(cudaGraphInstantiate(&exec, graph));
  EXPECT_OK(cudaGraphDestroy(graph));
  EXPECT_OK(cudaGraphLaunch(exec, stream.queue.stream));
  EXPECT_OK(cudaGraphLaunch(exec, stream.queue.stream));
  EXPECT(*value.data == 1);
  EXPECT_OK(cudaGraphExecDestroy(exec));  // what is under way goes on
  EXPECT_OK(stream.wait());
  EXPECT(*value.data == 25);

  EXPECT_OK(cudaGraphCreate(&graph, 0));
  building = {};
  building.graph = graph;
  launch_cooperative<add_kernel>(building, 1, 1, 0, value.data, 1);
  EXPECT(building.error == cudaErrorNotSupported);
  cudaGetLastError();
  EXPECT_OK(cudaGraphDestroy(graph));
}

// Nodes that do not depend on each other run in another order when the order is another one.
void test_graph_order() {
  Pinned value(5);
  Stream stream;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  EXPECT_OK(cudaGraphCreate(&graph, 0));
  Queue one;
  Queue other;
  one.graph = other.graph = graph;
  launch<add_kernel>(one, 1, 1, 0, value.data, 1);
  launch<times_kernel>(other, 1, 1, 0, value.data, 10);
  EXPECT_OK(cudaGraphInstantiate(&exec, graph));
  EXPECT_OK(cudaGraphLaunch(exec, stream.queue.stream));
  EXPECT_OK(stream.wait());
  switch (emu::settings().order) {
    case emu::Order::kForward:
      EXPECT(*value.data == 60);
      break;
    case emu::Order::kReverse:
      EXPECT(*value.data == 51);
      break;
    case emu::Order::kShuffled:
      EXPECT(*value.data == 60 || *value.data == 51);
      break;
  }
  EXPECT_OK(cudaGraphExecDestroy(exec));
  EXPECT_OK(cudaGraphDestroy(graph));
}

// A stream waited for on one thread gets its turn between the kernels of a long one on another thread.
void test_turns() {
  Pinned stop(0);
  Pinned last(0);
  constexpr int kMany = 100000;
  Stream chain;
  for (int i = 1; i <= kMany; ++i) {
    launch<step_kernel>(chain.queue, 1, 1, 0, static_cast<const int32_t*>(stop.data), last.data, i);
  }
  std::thread stopper([&] {
    Stream signal;
    while (__atomic_load_n(last.data, __ATOMIC_RELAXED) < 10) std::this_thread::yield();
    launch<add_kernel>(signal.queue, 1, 1, 0, stop.data, 1);
    EXPECT_OK(signal.wait());
  });
  EXPECT_OK(chain.wait());
  stopper.join();
  EXPECT(*last.data >= 10 && *last.data < kMany);
}

void test_faults() {
  Pinned value(0);
  {
    Stream stream;
    gtr_emu_fail_launch(2);
    launch<add_kernel>(stream.queue, 1, 1, 0, value.data, 1);
    launch<add_kernel>(stream.queue, 1, 1, 0, value.data, 10);
    launch<add_kernel>(stream.queue, 1, 1, 0, value.data, 100);
    EXPECT(stream.wait() == cudaErrorLaunchFailure);
    EXPECT(*value.data == 1);
    void* data = nullptr;
    EXPECT(cudaMalloc(&data, 4) == cudaErrorLaunchFailure);
    cudaStream_t none = nullptr;
    EXPECT(cudaStreamCreate(&none) == cudaErrorLaunchFailure && none == nullptr);
  }
  cudaDeviceReset();
  run<add_kernel>(1, 1, 0, value.data, 5);
  EXPECT(*value.data == 6);
}

// What a launch that may overlap the one before it reads before it waits is old, by its first block at least.
__global__ void early_kernel(const int32_t* value, int32_t* before, int32_t* after) {
  const int32_t early = load_relaxed(value);
  block_sync();  // threads that wait for each other may do so before
  dependents_launch();
  dependency_wait();
  before[blockIdx.x] = early;
  after[blockIdx.x] = load_relaxed(value);
}
__global__ void hasty_kernel() {}

void test_overlap() {
  for (const bool overlaps : {false, true}) {
    for (const bool in_graph : {false, true}) {
      Array<int32_t> value(std::vector<int32_t>{5});
      Array<int32_t> before(2 * 3);
      Array<int32_t> after(2 * 3);
      Stream stream;
      stream.queue.overlaps = overlaps;
      cudaGraph_t graph = nullptr;
      if (in_graph) {
        EXPECT_OK(cudaGraphCreate(&graph, 0));
        stream.queue.graph = graph;
      }
      launch<add_kernel>(stream.queue, 1, 1, 0, value.data(), 1);
      launch_dependent<early_kernel>(stream.queue, 3, 64, 0, value.data(), before.data(), after.data());
      launch<add_kernel>(stream.queue, 1, 1, 0, value.data(), 10);
      launch_dependent<early_kernel>(stream.queue, 3, 64, 0, value.data(), before.data() + 3, after.data() + 3);
      if (in_graph) {
        cudaGraphExec_t exec = nullptr;
        EXPECT_OK(cudaGraphInstantiate(&exec, graph));
        EXPECT_OK(cudaGraphDestroy(graph));
        EXPECT_OK(cudaGraphLaunch(exec, stream.queue.stream));
        EXPECT_OK(cudaGraphExecDestroy(exec));
      }
      EXPECT_OK(stream.wait());
      EXPECT((after.download() == std::vector<int32_t>{6, 6, 6, 16, 16, 16}));
      int old = 0;
      for (size_t i = 0; i < before.download().size(); ++i) old += before.host[i] != after.host[i];
      EXPECT(old == (overlaps ? 2 : 0));
    }
  }
  Stream stream;
  launch_dependent<hasty_kernel>(stream.queue, 1, 1, 0);
  EXPECT(stream.wait() == cudaErrorLaunchFailure);
  EXPECT(std::string(gtr_emu_last_failure()).find("without dependency_wait") != std::string::npos);
  cudaDeviceReset();
}

}  // namespace

void test_streams() {
  test_deferred();
  test_copies();
  test_events();
  test_query();
  test_null_stream();
  test_graph();
  test_graph_order();
  test_turns();
  test_overlap();
  test_faults();
}

}  // namespace gtr::cuda::test
