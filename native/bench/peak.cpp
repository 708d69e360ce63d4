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
constexpr int64_t kMatrixReads = 100;        // at a time, of what may lie in a cache
constexpr int64_t kHeadReads = 8;
constexpr int64_t kReadMultiple = 256;       // see PeakLoops::read
constexpr int64_t kPage = int64_t{1} << 21;  // a large one

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

// loop(thread, rounds) does `per_round` of something in each of so many rounds.
template <typename Loop>
double per_second(const Loop& loop, int64_t per_round, int32_t threads) {
  int64_t rounds = 16;
  std::vector<double> rates;
  for (int repetition = -1; repetition < kRepetitions; ++repetition) {
    const double seconds = time_together(threads, [&](int32_t thread) { sink = loop(thread, rounds); });
    if (repetition < 0) {  // finds out how many rounds take kSeconds, and warms up
      rounds = std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(rounds) * kSeconds / seconds));
      if (seconds < kSeconds / 4) --repetition;  // too short to tell
      continue;
    }
    rates.push_back(static_cast<double>(rounds) * static_cast<double>(per_round) * threads / seconds);
  }
  return median(rates);
}

// On large pages, as weights are: what the tables of small ones cost is not the memory's speed.
std::unique_ptr<float, decltype(&std::free)> ones(size_t count) {
  const size_t bytes = (count * sizeof(float) + kPage - 1) / kPage * kPage;
  std::unique_ptr<float, decltype(&std::free)> data(static_cast<float*>(std::aligned_alloc(kPage, bytes)), &std::free);
  if (data == nullptr) throw std::bad_alloc();
  madvise(data.get(), bytes, MADV_HUGEPAGE);
  std::fill_n(data.get(), count, 1.0f);
  return data;
}

// Each thread reads as many floats of its own, `times` times.
double bytes_per_second(float (*read)(const float*, int64_t), int64_t floats, int64_t times, int32_t threads) {
  const size_t count = static_cast<size_t>(floats) * static_cast<size_t>(threads);
  const auto data = ones(count);
  std::vector<double> rates;
  for (int repetition = 0; repetition < kReadRepetitions; ++repetition) {
    const double seconds = time_together(threads, [&](int32_t thread) {
      for (int64_t time = 0; time < times; ++time) sink = read(data.get() + thread * floats, floats);
    });
    rates.push_back(static_cast<double>(count * sizeof(float)) * static_cast<double>(times) / seconds);
  }
  return median(rates);
}

// Floats of each thread, as many as PeakLoops::read takes.
int64_t part_of(int64_t bytes, int32_t threads) {
  const int64_t floats = bytes / static_cast<int64_t>(sizeof(float)) / threads;
  return std::max(floats / kReadMultiple, int64_t{1}) * kReadMultiple;
}

double cached_flops_per_second(const CachedLoop& loop, int32_t threads) {
  const int64_t floats = (loop.bytes + kPage - 1) / kPage * kPage / static_cast<int64_t>(sizeof(float));
  const auto operands = ones(static_cast<size_t>(floats) * static_cast<size_t>(threads));
  fill_bf16(1, reinterpret_cast<uint16_t*>(operands.get()), 2 * floats * threads);
  return per_second([&](int32_t thread, int64_t rounds) { return loop.run(operands.get() + thread * floats, rounds); },
                    loop.flops_per_round, threads);
}

}  // namespace

void fill_bf16(uint32_t seed, uint16_t* values, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    seed = seed * 1664525u + 1013904223u;
    values[i] = static_cast<uint16_t>((seed >> 31) << 15 | (0x3f00u + (seed >> 16 & 0xffu)));
  }
}

Peak measure_peak(int32_t tier, int32_t threads) {
  const PeakLoops& loops = loops_of(tier);
  const auto on_registers = [&](float (*loop)(int64_t), int64_t per_round) {
    return per_second([&](int32_t, int64_t rounds) { return loop(rounds); }, per_round, threads);
  };
  Peak peak{};
  peak.f32_flops = on_registers(loops.f32, loops.f32_flops_per_round);
  peak.bf16_flops = on_registers(loops.bf16, loops.bf16_flops_per_round);
  peak.read_bytes = bytes_per_second(loops.read, kReadFloats, 1, threads);
  const auto cached = [&](const CachedLoop& loop) {
    return loop.run == nullptr ? peak.bf16_flops : cached_flops_per_second(loop, threads);
  };
  peak.cached_bf16_flops = cached(loops.cached_bf16);
  peak.matrix_bytes = bytes_per_second(loops.read, part_of(kMatrixBytes, threads), kMatrixReads, threads);
  peak.head_bytes = bytes_per_second(loops.read, part_of(kHeadBytes, threads), kHeadReads, threads);
  peak.attention_64_flops = cached(loops.attention_64);
  peak.attention_80_flops = cached(loops.attention_80);
  return peak;
}

}  // namespace gtr::bench
