#include "card.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace gtr::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kMostTimes = 10;  // a slow case ends at this multiple of the seconds asked for
constexpr int64_t kSmallCache = 4096;
constexpr double kSecondsEnqueued = 0.1;  // about so much is enqueued at most before the stream is waited for

[[noreturn]] void die(const std::string& message) {
  std::fprintf(stderr, "gtr-bench: %s\n", message.c_str());
  std::exit(1);
}

// The folder of this program, with a slash at its end.
std::string program_folder() {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  const std::string text(path, length > 0 ? static_cast<size_t>(length) : 0);
  return text.substr(0, text.rfind('/') + 1);
}

const CardTools* load(Target target) {
  const char* file = target == Target::kCuda ? "libgtr_cuda_bench.so" : "libgtr_cuda_emu_bench.so";
  const std::string path = program_folder() + file;
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) die("--backend " + std::string(target_name(target)) + ": " + dlerror());
  void* function = dlsym(library, kCardToolsFunction);
  if (function == nullptr) die(std::string(dlerror()));
  // The emulator's library is also the backend: what is enqueued through one must run before what the other awaits.
  if (target == Target::kCudaEmulator) setenv("GTR_CUDA_LIBRARY", path.c_str(), 1);
  return reinterpret_cast<CardToolsFunction*>(function)();
}

}  // namespace

Card::Card(Target target, int32_t index, bool small) : target_(target), tools_(load(target)) {
  check(tools_->open(index, small ? kSmallCache : 0, &description_));
}

Card::~Card() { tools_->close(); }

void Card::check(const char* message) const {
  if (message != nullptr) die(std::string(target_name(target_)) + ": " + message);
}

CardWork Card::run(CardLoop loop, int64_t rounds) {
  CardWork work{};
  check(tools_->run(loop, rounds, &work));
  return work;
}

std::vector<double> Card::measure(Cache cache, int32_t repetitions, double seconds,
                                  const std::function<void(int64_t)>& run) {
  int64_t runs = 0;
  // Between the marks `slot` and `slot` + 1.
  const auto enqueue = [&](int32_t slot) {
    check(tools_->overwrite_caches());
    if (cache == Cache::kWarm) run(runs++);
    check(tools_->mark(slot));
    run(runs++);
    check(tools_->mark(slot + 1));
  };
  const auto time = [&](int32_t slot) {
    double result = 0;
    check(tools_->seconds(slot, slot + 1, &result));
    return result;
  };

  enqueue(0);  // warms up: what is built or loaded at the first run, and the clock's frequency
  double estimate = time(0);
  std::vector<double> results;
  const auto start = Clock::now();
  while (true) {
    const auto at_once = static_cast<int32_t>(std::clamp(std::min(kSecondsEnqueued, seconds) / std::max(estimate, 1e-6),
                                                         1.0, static_cast<double>(kCardMarks / 2)));
    for (int32_t i = 0; i < at_once; ++i) enqueue(2 * i);
    for (int32_t i = 0; i < at_once; ++i) results.push_back(time(2 * i));
    estimate = results.back();
    const double total = std::chrono::duration<double>(Clock::now() - start).count();
    const bool enough = static_cast<int64_t>(results.size()) >= repetitions && total >= seconds;
    if (enough || total >= kMostTimes * seconds) break;
  }
  std::sort(results.begin(), results.end());
  return results;
}

}  // namespace gtr::bench
