#include "pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

#include "memory.h"
#include "processors.h"

namespace gtr::cpu {
namespace {

// How often an idle worker, or a caller whose helpers are still busy, looks again before it sleeps. First for some tens
// of microseconds, which covers the gap between two loops of one operation; then, with its core offered to whoever else
// wants it, for some hundreds: a caller pays for the thread that it has to wake, and a loop waits for it.
constexpr int kSpins = 2000;
constexpr int kYields = 500;
// Between two attempts to move workers: what they cost at most is then a hundredth.
constexpr std::chrono::steady_clock::duration kBetweenMoves = std::chrono::milliseconds(1);
constexpr size_t kStackBytes = size_t{2} << 20;

void pause_briefly() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// For sections of a few instructions. A mutex would put threads to sleep that all arrive when a loop starts.
class SpinLock {
 public:
  void lock() noexcept {
    for (int tries = 0; taken_.exchange(true, std::memory_order_acquire); ++tries) {
      if (tries < 100) {
        pause_briefly();
      } else {
        sched_yield();  // the holder may have lost its core
      }
    }
  }
  bool try_lock() noexcept { return !taken_.exchange(true, std::memory_order_acquire); }
  void unlock() noexcept { taken_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> taken_{false};
};

// Threads that wait for a condition which other threads make true without holding a lock. The one who makes it true
// calls wake() afterwards; sequential consistency of the condition and of waiting_ makes sure that either the sleeper
// sees the condition or the waker sees the sleeper.
class SleepingPlace {
 public:
  template <typename Condition>
  void wait(Condition&& condition) noexcept {
    for (int i = 0; i < kSpins; ++i) {
      if (condition()) return;
      pause_briefly();
    }
    for (int i = 0; i < kYields; ++i) {
      if (condition()) return;
      sched_yield();
    }
    pthread_mutex_lock(&mutex_);
    waiting_.fetch_add(1, std::memory_order_seq_cst);
    while (!condition()) pthread_cond_wait(&changed_, &mutex_);
    waiting_.fetch_sub(1, std::memory_order_seq_cst);
    pthread_mutex_unlock(&mutex_);
  }

  // Wakes at most `count` of the threads.
  void wake(int64_t count) noexcept {
    const int64_t waiting = waiting_.load(std::memory_order_seq_cst);
    if (waiting == 0) return;
    pthread_mutex_lock(&mutex_);  // a sleeper between its look and its sleep has the mutex
    if (count >= waiting) {
      pthread_cond_broadcast(&changed_);
    } else {
      for (int64_t i = 0; i < count; ++i) pthread_cond_signal(&changed_);
    }
    pthread_mutex_unlock(&mutex_);
  }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t changed_ = PTHREAD_COND_INITIALIZER;
  std::atomic<int64_t> waiting_{0};
};

// One call of parallel_for. It lives on its caller's stack: nobody may touch it after `helpers` fell to 0 and it is out
// of the list.
struct Loop {
  void (*body)(void*, int64_t);
  void* context;
  int64_t count;
  int64_t grain;  // indices taken at a time
  int processor;  // where its caller was when it began
  std::atomic<int64_t> next{0};
  std::atomic<int32_t> helpers{0};  // workers inside; raised under the list's lock only
  int32_t helped = 0;               // workers that have been inside; guarded by the list's lock
  Loop* after = nullptr;

  int64_t chunks() const noexcept { return (count + grain - 1) / grain; }
  bool has_chunks() const noexcept { return next.load(std::memory_order_relaxed) < count; }

  void run_chunks() noexcept {
    for (;;) {
      const int64_t begin = next.fetch_add(grain, std::memory_order_relaxed);
      if (begin >= count) return;
      const int64_t end = count - begin < grain ? count : begin + grain;
      for (int64_t i = begin; i < end; ++i) body(context, i);
    }
  }
};

// The thread runs a body now, so a loop that it meets is a nested one.
thread_local bool inside_body = false;

}  // namespace

// Neither is inlined: where only one is, GCC takes the two for a mismatch, and warns.
[[gnu::noinline]] void* Pool::operator new(size_t bytes, const std::nothrow_t&) noexcept {
  return allocation_must_fail() ? nullptr : std::malloc(bytes);
}

[[gnu::noinline]] void Pool::operator delete(void* memory) noexcept { std::free(memory); }

struct Pool::State {
  static void* operator new(size_t bytes, const std::nothrow_t& nothrow) noexcept {
    return Pool::operator new(bytes, nothrow);
  }
  static void operator delete(void* memory) noexcept { Pool::operator delete(memory); }

  struct Worker {
    static constexpr uint64_t kBusy = UINT64_MAX;

    State* pool;
    pthread_t thread;
    // The last loop that was published when it looked for one, or kBusy while it is inside one.
    std::atomic<uint64_t> looked{0};
    std::atomic<int> processor{-1};  // where it looked
    char to_next_line[36];           // every worker writes its own all the time
  };
  static_assert(sizeof(Worker) == 64, "a cache line");

  int threads = 1;
  int started = 0;
  Worker workers[kMaxThreads - 1];

  SpinLock lock;
  Loop* loops = nullptr;               // guarded by lock
  std::atomic<uint64_t> published{0};  // loops so far: tells idle workers that there is something new
  std::atomic<bool> stopping{false};
  SleepingPlace idle;      // workers without a loop
  SleepingPlace finished;  // callers whose helpers still run
  SpinLock moving;
  std::chrono::steady_clock::time_point moved_at{};  // guarded by moving
  std::atomic<int64_t> moves{0};

  ~State() {
    stopping.store(true, std::memory_order_seq_cst);
    idle.wake(INT64_MAX);
    for (int i = 0; i < started; ++i) pthread_join(workers[i].thread, nullptr);
  }

  // Returns the loop's number.
  uint64_t publish(Loop& loop) noexcept {
    {
      const std::lock_guard<SpinLock> guard(lock);
      loop.after = loops;
      loops = &loop;
    }
    const uint64_t number = published.fetch_add(1, std::memory_order_seq_cst) + 1;
    idle.wake(loop.chunks() - 1);
    return number;
  }

  // Returns how many workers have been inside.
  int32_t withdraw(Loop& loop) noexcept {
    const std::lock_guard<SpinLock> guard(lock);
    Loop** link = &loops;
    while (*link != &loop) link = &(*link)->after;
    *link = loop.after;
    return loop.helped;
  }

  // Two threads of a pool can come to share a processor while another is idle: a kernel that looks for idle ones only
  // among those that share a cache leaves them there for milliseconds, again after every sleep. Such workers are moved.

  // A worker that was free and has not looked while a whole loop was run had no processor.
  void move_absent_workers(uint64_t number) noexcept {
    move([&](const Worker& worker) { return worker.looked.load(std::memory_order_acquire) < number; },
         current_processor());
  }

  void move_from_caller(const Worker& self, int callers_processor) noexcept {
    move([&](const Worker& worker) { return &worker == &self; }, callers_processor);
  }

  template <typename Predicate>
  void move(const Predicate& misplaced, int callers_processor) noexcept {
    if (!moving.try_lock()) return;
    const auto now = std::chrono::steady_clock::now();
    if (now - moved_at >= kBetweenMoves) {
      moved_at = now;
      ProcessorSet taken;
      taken.add(callers_processor);
      for (int i = 0; i < started; ++i) {
        if (!misplaced(workers[i])) taken.add(workers[i].processor.load(std::memory_order_relaxed));
      }
      for (int i = 0; i < started; ++i) {
        if (misplaced(workers[i]) && move_off(workers[i].thread, taken)) moves.fetch_add(1, std::memory_order_relaxed);
      }
    }
    moving.unlock();
  }

  // The loop with chunks left that has the fewest helpers, entered; null if there is none.
  Loop* enter_loop() noexcept {
    const std::lock_guard<SpinLock> guard(lock);
    Loop* best = nullptr;
    int32_t fewest = 0;
    for (Loop* loop = loops; loop != nullptr; loop = loop->after) {
      const int32_t helpers = loop->helpers.load(std::memory_order_relaxed);
      if (loop->has_chunks() && (best == nullptr || helpers < fewest)) {
        best = loop;
        fewest = helpers;
      }
    }
    if (best != nullptr) {
      best->helpers.fetch_add(1, std::memory_order_relaxed);
      ++best->helped;
    }
    return best;
  }

  void leave_loop(Loop& loop) noexcept {
    // The caller may return, and the loop be gone, as soon as the count is down.
    if (loop.helpers.fetch_sub(1, std::memory_order_seq_cst) == 1) finished.wake(INT64_MAX);
  }

  void work(Worker& self) noexcept {
    inside_body = true;
    while (!stopping.load(std::memory_order_relaxed)) {
      const uint64_t seen = published.load(std::memory_order_seq_cst);  // before looking for a loop
      const int processor = current_processor();
      self.processor.store(processor, std::memory_order_relaxed);
      self.looked.store(seen, std::memory_order_release);
      if (Loop* loop = enter_loop()) {
        self.looked.store(Worker::kBusy, std::memory_order_relaxed);
        if (processor >= 0 && processor == loop->processor) move_from_caller(self, processor);
        loop->run_chunks();
        leave_loop(*loop);
        continue;
      }
      idle.wait([&] {
        return published.load(std::memory_order_seq_cst) != seen || stopping.load(std::memory_order_seq_cst);
      });
    }
  }

  static void* start(void* worker) noexcept {
    static_cast<Worker*>(worker)->pool->work(*static_cast<Worker*>(worker));
    return nullptr;
  }

  // Signals are the business of the host's own threads, except for those that a fault of the thread itself raises,
  // which the host's handler wants to report.
  bool start_workers() noexcept {
    sigset_t others, before;
    sigfillset(&others);
    for (const int fault : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP}) sigdelset(&others, fault);
    pthread_sigmask(SIG_SETMASK, &others, &before);
    pthread_attr_t attributes;
    bool good = pthread_attr_init(&attributes) == 0;
    if (good) {
      pthread_attr_setstacksize(&attributes, kStackBytes);
      while (good && started < threads - 1) {
        Worker& worker = workers[started];
        worker.pool = this;
        good = !allocation_must_fail() && pthread_create(&worker.thread, &attributes, &State::start, &worker) == 0;
        if (good) {
#if defined(__linux__)
          pthread_setname_np(worker.thread, "gtr-worker");
#endif
          ++started;
        }
      }
      pthread_attr_destroy(&attributes);
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return good;
  }
};

Pool::~Pool() = default;

std::unique_ptr<Pool> Pool::create(int threads) noexcept {
  if (threads < 1 || threads > kMaxThreads) return nullptr;
  std::unique_ptr<Pool> pool(new (std::nothrow) Pool);
  if (pool == nullptr) return nullptr;
  pool->state_.reset(new (std::nothrow) State);
  if (pool->state_ == nullptr) return nullptr;
  pool->state_->threads = threads;
  return pool->state_->start_workers() ? std::move(pool) : nullptr;
}

int Pool::threads() const noexcept { return state_->threads; }

int64_t Pool::moves() const noexcept { return state_->moves.load(std::memory_order_relaxed); }

int64_t Pool::bytes() noexcept { return sizeof(Pool) + sizeof(State); }

void Pool::run(int64_t count, void (*body)(void*, int64_t), void* context) noexcept {
  if (count <= 1 || state_->threads == 1 || inside_body) {
    const bool before = inside_body;
    inside_body = true;
    for (int64_t i = 0; i < count; ++i) body(context, i);
    inside_body = before;
    return;
  }
  Loop loop;
  loop.body = body;
  loop.context = context;
  loop.count = count;
  // Long loops are taken in pieces, about eight per thread: enough to level out, too few to fight for the counter.
  loop.grain = count / (int64_t{8} * state_->threads);
  if (loop.grain < 1) loop.grain = 1;
  loop.processor = current_processor();
  const uint64_t number = state_->publish(loop);
  inside_body = true;
  loop.run_chunks();
  inside_body = false;
  const int32_t helped = state_->withdraw(loop);
  if (helped < std::min<int64_t>(loop.chunks() - 1, state_->started)) state_->move_absent_workers(number);
  state_->finished.wait([&] { return loop.helpers.load(std::memory_order_seq_cst) == 0; });
}

}  // namespace gtr::cpu
