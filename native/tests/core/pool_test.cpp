// The thread pool: every index once, concurrent callers, nested loops, long runs of short loops. What it must show in
// the first place it shows under ThreadSanitizer.
#include "pool.h"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "expect.h"
#include "memory.h"

namespace gtr::test {
namespace {

using cpu::Pool;

void every_index_runs_once() {
  for (const int threads : {1, 2, 3, 8}) {
    const auto pool = Pool::create(threads);
    EXPECT(pool != nullptr && pool->threads() == threads);
    for (const int64_t count : {0, 1, 2, 7, 64, 1000, 100003}) {
      std::vector<int> runs(static_cast<size_t>(count), 0);  // not atomic: a second run would be a race
      pool->parallel_for(count, [&](int64_t i) { ++runs[static_cast<size_t>(i)]; });
      bool once = true;
      for (const int n : runs) once = once && n == 1;
      EXPECT(once);
    }
  }
}

// Loops by which several threads use one pool at once, each of which must be complete when parallel_for returns.
void callers_share_the_workers() {
  const auto pool = Pool::create(4);
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int caller = 0; caller < 6; ++caller) {
    callers.emplace_back([&, caller] {
      for (int round = 0; round < 300; ++round) {
        const int64_t count = 1 + (round * 7 + caller * 3) % 40;
        std::vector<int64_t> squares(static_cast<size_t>(count), -1);
        pool->parallel_for(count, [&](int64_t i) { squares[static_cast<size_t>(i)] = i * i; });
        for (int64_t i = 0; i < count; ++i) {
          if (squares[static_cast<size_t>(i)] != i * i) ++wrong;
        }
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT(wrong == 0);
}

// A nested loop runs on the thread that meets it, also if all workers meet one at once.
void nested_loops_run_in_place() {
  const auto pool = Pool::create(4);
  std::vector<std::thread> callers;
  std::atomic<int64_t> sum{0};
  std::atomic<int> elsewhere{0};
  for (int caller = 0; caller < 3; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        pool->parallel_for(16, [&](int64_t) {
          const auto here = std::this_thread::get_id();
          pool->parallel_for(16, [&](int64_t j) {
            if (std::this_thread::get_id() != here) ++elsewhere;
            sum += j;
          });
        });
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT(elsewhere == 0);
  EXPECT(sum == int64_t{3} * 50 * 16 * 120);
}

// Work that a caller leaves is picked up by others: every chunk waits for all to have started.
void all_threads_take_part() {
  constexpr int kThreads = 4;
  const auto pool = Pool::create(kThreads);
  std::atomic<int> inside{0};
  pool->parallel_for(kThreads, [&](int64_t) {
    ++inside;
    while (inside < kThreads) std::this_thread::yield();
  });
  EXPECT(inside == kThreads);
}

// Sleeping and waking again and again: a lost wake-up would hang here.
void workers_sleep_and_wake() {
  const auto pool = Pool::create(4);
  std::atomic<int> inside{0};
  for (int round = 0; round < 40; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(round % 3));
    inside = 0;
    pool->parallel_for(4, [&](int64_t) {
      ++inside;
      while (inside < 4) std::this_thread::yield();
    });
  }
  EXPECT(inside == 4);
}

void many_short_loops() {
  const auto pool = Pool::create(3);
  int64_t total = 0;
  for (int round = 0; round < 20000; ++round) {
    std::atomic<int64_t> sum{0};
    pool->parallel_for(3, [&](int64_t i) { sum.fetch_add(i + 1, std::memory_order_relaxed); });
    total += sum.load();
  }
  EXPECT(total == 20000 * 6);
}

// How many threads of this process the kernel does not have asleep.
int threads_awake() {
  int awake = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "stat");
    std::string stat;
    std::getline(file, stat);
    const size_t name_end = stat.rfind(')');
    if (name_end != std::string::npos && name_end + 2 < stat.size() && stat[name_end + 2] != 'S') ++awake;
  }
  return awake;
}

// A pool without work burns no processor: sooner or later this thread alone is awake. A worker that spins never lets
// that happen.
void idle_workers_sleep() {
  const auto pool = Pool::create(4);
  pool->parallel_for(64, [](int64_t) {});
  bool asleep = false;
  for (int tries = 0; tries < 3000 && !asleep; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    asleep = threads_awake() == 1;
  }
  EXPECT(asleep);
}

// The one worker of a pool of two.
pthread_t worker_of(Pool& pool) {
  const pthread_t caller = pthread_self();
  std::atomic<int> inside{0};
  pthread_t worker{};
  pool.parallel_for(2, [&](int64_t) {
    if (!pthread_equal(pthread_self(), caller)) worker = pthread_self();
    ++inside;
    while (inside < 2) std::this_thread::yield();
  });
  return worker;
}

void work_for_microseconds(int count) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(count);
  while (std::chrono::steady_clock::now() < end) {
  }
}

// A worker that the kernel left on its caller's processor, here by binding it there for a moment, is moved, and its
// affinity mask stays what it was.
void a_worker_leaves_its_callers_processor() {
  cpu_set_t allowed;
  EXPECT(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  if (CPU_COUNT(&allowed) < 2) return;
  cpu_set_t here;
  CPU_ZERO(&here);
  for (int processor = 0; CPU_COUNT(&here) == 0; ++processor) {
    if (CPU_ISSET(processor, &allowed)) CPU_SET(processor, &here);
  }

  const auto pool = Pool::create(2);
  const pthread_t worker = worker_of(*pool);
  EXPECT(sched_setaffinity(0, sizeof here, &here) == 0);
  const int64_t before = pool->moves();
  for (int round = 0; round < 20000 && pool->moves() == before; ++round) {
    EXPECT(pthread_setaffinity_np(worker, sizeof here, &here) == 0);
    EXPECT(pthread_setaffinity_np(worker, sizeof allowed, &allowed) == 0);
    pool->parallel_for(2, [](int64_t) { work_for_microseconds(50); });
  }
  EXPECT(pool->moves() > before);
  cpu_set_t after;
  EXPECT(pthread_getaffinity_np(worker, sizeof after, &after) == 0);
  EXPECT(CPU_EQUAL(&after, &allowed));

  // A worker that may not run elsewhere stays.
  EXPECT(pthread_setaffinity_np(worker, sizeof here, &here) == 0);
  const int64_t moved = pool->moves();
  for (int round = 0; round < 100; ++round) pool->parallel_for(2, [](int64_t) { work_for_microseconds(50); });
  EXPECT(pool->moves() == moved);
  EXPECT(pthread_getaffinity_np(worker, sizeof after, &after) == 0);
  EXPECT(CPU_EQUAL(&after, &here));
  EXPECT(sched_setaffinity(0, sizeof allowed, &allowed) == 0);
}

void creation_and_destruction() {
  for (int round = 0; round < 50; ++round) {
    const auto pool = Pool::create(1 + round % 5);
    if (round % 2 == 0) pool->parallel_for(10, [](int64_t) {});
  }
  EXPECT(Pool::create(0) == nullptr);
  EXPECT(Pool::create(-1) == nullptr);
  EXPECT(Pool::create(Pool::kMaxThreads + 1) == nullptr);
}

// The pool, its state, and each thread.
void each_failure_of_creation_is_survived() {
  int failed = 0;
  for (int64_t nth = 1;; ++nth) {
    gtr_test_fail_allocation(nth);
    const auto pool = Pool::create(3);
    gtr_test_fail_allocation(0);
    if (pool != nullptr) break;
    ++failed;
  }
  EXPECT(failed == 4);
}

}  // namespace
}  // namespace gtr::test

int main() {
  using namespace gtr::test;
  every_index_runs_once();
  callers_share_the_workers();
  nested_loops_run_in_place();
  all_threads_take_part();
  workers_sleep_and_wake();
  many_short_loops();
  idle_workers_sleep();
  a_worker_leaves_its_callers_processor();
  creation_and_destruction();
  each_failure_of_creation_is_survived();
  return result();
}
