#include "stream.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "device_memory.h"
#include "settings.h"

namespace {

// A recorded event: done when its stream has come to it.
struct EventRecord {
  std::shared_ptr<CUstream_st> stream;
  uint64_t number;
  std::atomic<bool> done{false};
  std::chrono::steady_clock::time_point time;
};

struct Entry {
  uint64_t number;  // grows from call to call over all streams
  gtr::cuda::emu::Work work;
  std::shared_ptr<EventRecord> waits_for;
};

}  // namespace

struct CUstream_st {
  bool is_legacy = false;    // the null stream: before and after all that is on blocking streams
  bool is_blocking = false;  // one that the null stream waits for
  std::deque<Entry> entries;
};

struct CUevent_st {
  std::shared_ptr<EventRecord> last;
};

namespace gtr::cuda::emu {
namespace {

using StreamPointer = std::shared_ptr<CUstream_st>;

// A lock that is handed over in the order of arrival, so that whoever waits for a short stream need not wait for the
// end of a long one.
class FairLock {
 public:
  void lock() {
    std::unique_lock<std::mutex> guard(mutex_);
    const uint64_t ticket = next_++;
    turn_changed_.wait(guard, [&] { return turn_ == ticket; });
  }
  void unlock() {
    const std::lock_guard<std::mutex> guard(mutex_);
    ++turn_;
    turn_changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable turn_changed_;
  uint64_t next_ = 0;
  uint64_t turn_ = 0;
};

struct Machine {
  FairLock executing;  // held while a piece of work runs
  std::mutex mutex;    // of what follows
  std::vector<StreamPointer> streams;
  StreamPointer legacy = std::make_shared<CUstream_st>();
  uint64_t last_number = 0;
  int waiting_threads = 0;  // as long as there are any the device's memory is open
  std::unique_ptr<OpenDeviceMemory> open_memory;
  std::atomic<cudaError_t> sticky{cudaSuccess};

  Machine() {
    legacy->is_legacy = true;
    streams.push_back(legacy);
  }
};

Machine& machine() {
  static Machine& instance = *new Machine;  // outlives whatever is destroyed at exit
  return instance;
}

thread_local cudaError_t last_error = cudaSuccess;

// Null for a handle that is none. Under the mutex.
StreamPointer find(cudaStream_t stream) {
  Machine& m = machine();
  if (stream == nullptr || stream == cudaStreamLegacy) return m.legacy;
  for (const StreamPointer& known : m.streams) {
    if (known.get() == stream) return known;
  }
  return nullptr;
}

// Of the streams that must get on before this one's first entry may run, one; null if there is none. Under the mutex.
StreamPointer blocker_of(const CUstream_st& stream) {
  Machine& m = machine();
  const Entry& entry = stream.entries.front();
  if (entry.waits_for != nullptr && !entry.waits_for->done) return entry.waits_for->stream;
  const auto has_earlier = [&](const CUstream_st& other) {
    return !other.entries.empty() && other.entries.front().number < entry.number;
  };
  if (stream.is_blocking && has_earlier(*m.legacy)) return m.legacy;
  if (stream.is_legacy) {
    for (const StreamPointer& other : m.streams) {
      if (other->is_blocking && has_earlier(*other)) return other;
    }
  }
  return nullptr;
}

// Runs the stream's first entry, or what that waits for. False if there is none up to that number. While executing.
bool run_one(StreamPointer stream, uint64_t up_to) {
  Machine& m = machine();
  Entry entry;
  std::function<void()> begin_next;
  {
    const std::lock_guard<std::mutex> lock(m.mutex);
    if (stream->entries.empty() || stream->entries.front().number > up_to) return false;
    while (const StreamPointer blocker = blocker_of(*stream)) stream = blocker;
    entry = std::move(stream->entries.front());
    stream->entries.pop_front();
    if (!stream->entries.empty()) begin_next = stream->entries.front().work.begin;
  }
  if (entry.work.run && m.sticky == cudaSuccess) {
    if (begin_next) begin_next();
    const cudaError_t error = entry.work.run();
    if (error != cudaSuccess) lose_device(error);
  }
  return true;
}

// Memory is open from here to the end of the scope.
class Waiting {
 public:
  Waiting() {
    Machine& m = machine();
    const std::lock_guard<std::mutex> lock(m.mutex);
    if (m.waiting_threads++ == 0) m.open_memory = std::make_unique<OpenDeviceMemory>();
  }
  ~Waiting() {
    Machine& m = machine();
    const std::lock_guard<std::mutex> lock(m.mutex);
    if (--m.waiting_threads == 0) m.open_memory.reset();
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
};

bool is_idle(const CUstream_st& stream, uint64_t up_to) {
  const std::lock_guard<std::mutex> lock(machine().mutex);
  return stream.entries.empty() || stream.entries.front().number > up_to;
}

void run_up_to(const StreamPointer& stream, uint64_t up_to) {
  if (is_idle(*stream, up_to)) {
    // Another thread may be running the last entry.
    const std::lock_guard<FairLock> executing(machine().executing);
    return;
  }
  const Waiting waiting;
  bool more = true;
  while (more) {
    const std::lock_guard<FairLock> executing(machine().executing);
    more = run_one(stream, up_to);
  }
}

cudaError_t push(const StreamPointer& stream, Entry entry) {
  // Under the mutex.
  entry.number = ++machine().last_number;
  stream->entries.push_back(std::move(entry));
  return cudaSuccess;
}

// Lets a host that polls get on: one piece of work.
cudaError_t poll(const StreamPointer& stream, uint64_t up_to) {
  {
    const Waiting waiting;
    const std::lock_guard<FairLock> executing(machine().executing);
    run_one(stream, up_to);
  }
  if (sticky_error() != cudaSuccess) return sticky_error();
  return is_idle(*stream, up_to) ? cudaSuccess : cudaErrorNotReady;
}

}  // namespace

void enqueue(cudaStream_t stream, Work work) {
  const std::lock_guard<std::mutex> lock(machine().mutex);
  const StreamPointer known = find(stream);
  if (known != nullptr) push(known, {0, std::move(work), nullptr});
}

cudaError_t synchronize(cudaStream_t stream) {
  StreamPointer known;
  uint64_t up_to;
  {
    const std::lock_guard<std::mutex> lock(machine().mutex);
    known = find(stream);
    up_to = machine().last_number;
  }
  if (known == nullptr) return cudaErrorInvalidResourceHandle;
  run_up_to(known, up_to);
  return sticky_error();
}

cudaError_t synchronize_all() {
  std::vector<StreamPointer> streams;
  uint64_t up_to;
  {
    const std::lock_guard<std::mutex> lock(machine().mutex);
    streams = machine().streams;
    up_to = machine().last_number;
  }
  for (const StreamPointer& stream : streams) run_up_to(stream, up_to);
  return sticky_error();
}

cudaError_t sticky_error() { return machine().sticky; }

void lose_device(cudaError_t error) {
  cudaError_t none = cudaSuccess;
  machine().sticky.compare_exchange_strong(none, error);
}

void forget_sticky_error() { machine().sticky = cudaSuccess; }

cudaError_t note(cudaError_t error) {
  if (error != cudaSuccess && error != cudaErrorNotReady) last_error = error;
  return error;
}

cudaError_t check_device() {
  if (settings().driver < kCudaVersion) return cudaErrorInsufficientDriver;
  if (settings().devices == 0) return cudaErrorNoDevice;
  return sticky_error();
}

}  // namespace gtr::cuda::emu

// ---- the runtime's functions

using namespace gtr::cuda::emu;

namespace {

cudaError_t create_stream(cudaStream_t* stream, bool is_blocking) {
  const cudaError_t state = check_device();
  if (state != cudaSuccess) return note(state);
  auto created = std::make_shared<CUstream_st>();
  created->is_blocking = is_blocking;
  const std::lock_guard<std::mutex> lock(machine().mutex);
  machine().streams.push_back(created);
  *stream = created.get();
  return cudaSuccess;
}

}  // namespace

extern "C" {

cudaError_t cudaGetLastError() {
  const cudaError_t error = cudaPeekAtLastError();
  last_error = cudaSuccess;
  return error;
}

cudaError_t cudaPeekAtLastError() { return sticky_error() != cudaSuccess ? sticky_error() : last_error; }

cudaError_t cudaStreamCreate(cudaStream_t* stream) { return create_stream(stream, true); }

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return create_stream(stream, (flags & cudaStreamNonBlocking) == 0);
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int) {
  return cudaStreamCreateWithFlags(stream, flags);
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  if (least != nullptr) *least = 0;
  if (greatest != nullptr) *greatest = -5;
  return note(check_device());
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const cudaError_t waited = synchronize(stream);
  Machine& m = machine();
  const std::lock_guard<std::mutex> lock(m.mutex);
  for (auto known = m.streams.begin(); known != m.streams.end(); ++known) {
    if (known->get() != stream || (*known)->is_legacy) continue;
    m.streams.erase(known);
    return note(waited);
  }
  return note(cudaErrorInvalidResourceHandle);
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const cudaError_t state = check_device();
  return note(state != cudaSuccess ? state : synchronize(stream));
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  const cudaError_t state = check_device();
  if (state != cudaSuccess) return note(state);
  StreamPointer known;
  uint64_t up_to;
  {
    const std::lock_guard<std::mutex> lock(machine().mutex);
    known = find(stream);
    up_to = machine().last_number;
  }
  return note(known == nullptr ? cudaErrorInvalidResourceHandle : poll(known, up_to));
}

cudaError_t cudaDeviceSynchronize() {
  const cudaError_t state = check_device();
  return note(state != cudaSuccess ? state : synchronize_all());
}

cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  const cudaError_t state = check_device();
  if (state != cudaSuccess) return note(state);
  *event = new CUevent_st;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const cudaError_t state = check_device();
  if (state != cudaSuccess) return note(state);
  const std::lock_guard<std::mutex> lock(machine().mutex);
  const StreamPointer known = find(stream);
  if (known == nullptr) return note(cudaErrorInvalidResourceHandle);
  auto record = std::make_shared<EventRecord>();
  record->stream = known;
  Work work{[record] {
              record->time = std::chrono::steady_clock::now();
              record->done = true;
              return cudaSuccess;
            },
            {}};
  push(known, {0, std::move(work), nullptr});
  record->number = machine().last_number;
  event->last = record;
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const cudaError_t state = check_device();
  if (state != cudaSuccess) return note(state);
  const std::lock_guard<std::mutex> lock(machine().mutex);
  const StreamPointer known = find(stream);
  if (known == nullptr) return note(cudaErrorInvalidResourceHandle);
  if (event->last != nullptr) push(known, {0, {}, event->last});
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const cudaError_t state = check_device();
  if (state != cudaSuccess) return note(state);
  std::shared_ptr<EventRecord> record;
  {
    const std::lock_guard<std::mutex> lock(machine().mutex);
    record = event->last;
  }
  if (record != nullptr) run_up_to(record->stream, record->number);
  return note(sticky_error());
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  const cudaError_t state = check_device();
  if (state != cudaSuccess) return note(state);
  std::shared_ptr<EventRecord> record;
  {
    const std::lock_guard<std::mutex> lock(machine().mutex);
    record = event->last;
  }
  return note(record == nullptr ? cudaSuccess : poll(record->stream, record->number));
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  const std::lock_guard<std::mutex> lock(machine().mutex);
  if (start->last == nullptr || end->last == nullptr) return note(cudaErrorInvalidResourceHandle);
  if (!start->last->done || !end->last->done) return note(cudaErrorNotReady);
  *milliseconds = std::chrono::duration<float, std::milli>(end->last->time - start->last->time).count();
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return note(check_device());
}

}  // extern "C"
