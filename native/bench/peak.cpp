#include "peak.h"

#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <new>
#include <thread>
#include <vector>

namespace gtr::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kSeconds = 0.05;            // of one measurement
constexpr int kRepetitions = 5;              // of which the median counts, as with what is compared to it
constexpr int kReadRepetitions = 15;         // they are shorter
constexpr int64_t kReadFloats = 64ll << 20;  // 256 MiB a thread, beyond every cache

volatile float sink;

const PeakLoops& loops_of(int32_t tier) {
  switch (tier) {
#ifdef GTR_HAS_TIER_AVX2
    case GTR_TIER_AVX2:
      return avx2::kPeakLoops;
    case GTR_TIER_AVX512:
      return avx512::kPeakLoops;
    case GTR_TIER_AVX512_BF16:
      return avx512bf16::kPeakLoops;
    case GTR_TIER_AMX_BF16:
      return amxbf16::kPeakLoops;
#endif
    default:
      return scalar::kPeakLoops;
  }
}

// Keeps the calling thread on the processor of that number among those it may use, unless there are fewer of them.
class Bound {
 public:
  Bound(int32_t number, int32_t threads) {
    if (sched_getaffinity(0, sizeof before_, &before_) != 0 || CPU_COUNT(&before_) < threads) return;
    int processor = 0;
    while (!CPU_ISSET(processor, &before_) || number-- > 0) ++processor;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    bound_ = sched_setaffinity(0, sizeof one, &one) == 0;
  }
  ~Bound() {
    if (bound_) sched_setaffinity(0, sizeof before_, &before_);
  }
  Bound(const Bound&) = delete;
  Bound& operator=(const Bound&) = delete;

 private:
  cpu_set_t before_;
  bool bound_ = false;
};

// Seconds until every one of `threads` threads has run body(thread), from the moment that all of them stand ready.
template <typename Body>
double time_together(int32_t threads, const Body& body) {
  std::atomic<int32_t> ready{0};
  std::atomic<bool> go{false};
  std::vector<std::thread> others;
  for (int32_t thread = 1; thread < threads; ++thread) {
    others.emplace_back([&, thread] {
      const Bound bound(thread, threads);
      ++ready;
      while (!go.load()) {
      }
      body(thread);
    });
  }
  const Bound bound(0, threads);
  while (ready.load() != threads - 1) {
    std::this_thread::yield();
  }
  const auto start = Clock::now();
  go = true;
  body(0);
  for (auto& other : others) {
    other.join();
  }
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double flops_per_second(float (*loop)(int64_t), int64_t flops_per_round, int32_t threads) {
  int64_t rounds = 1 << 16;
  std::vector<double> rates;
  for (int repetition = -1; repetition < kRepetitions; ++repetition) {
    const double seconds = time_together(threads, [&](int32_t) { sink = loop(rounds); });
    if (repetition < 0) {  // finds out how many rounds take kSeconds, and warms up
      rounds = std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(rounds) * kSeconds / seconds));
      continue;
    }
    rates.push_back(static_cast<double>(rounds) * static_cast<double>(flops_per_round) * threads / seconds);
  }
  return median(rates);
}

// On large pages, as weights are: what the tables of small ones cost is not the memory's speed.
std::unique_ptr<float, decltype(&std::free)> ones(size_t count) {
  constexpr size_t kPage = size_t{1} << 21;
  const size_t bytes = (count * sizeof(float) + kPage - 1) / kPage * kPage;
  std::unique_ptr<float, decltype(&std::free)> data(static_cast<float*>(std::aligned_alloc(kPage, bytes)), &std::free);
  if (data == nullptr) throw std::bad_alloc();
  madvise(data.get(), bytes, MADV_HUGEPAGE);
  std::fill_n(data.get(), count, 1.0f);
  return data;
}

double bytes_per_second(float (*read)(const float*, int64_t), int32_t threads) {
  const size_t count = static_cast<size_t>(kReadFloats) * static_cast<size_t>(threads);
  const auto data = ones(count);
  std::vector<double> rates;
  for (int repetition = 0; repetition < kReadRepetitions; ++repetition) {
    const double seconds =
        time_together(threads, [&](int32_t thread) { sink = read(data.get() + thread * kReadFloats, kReadFloats); });
    rates.push_back(static_cast<double>(count * sizeof(float)) / seconds);
  }
  return median(rates);
}

}  // namespace

Peak measure_peak(int32_t tier, int32_t threads) {
  const PeakLoops& loops = loops_of(tier);
  return {flops_per_second(loops.f32, loops.f32_flops_per_round, threads),
          flops_per_second(loops.bf16, loops.bf16_flops_per_round, threads), bytes_per_second(loops.read, threads), 0};
}

}  // namespace gtr::bench
