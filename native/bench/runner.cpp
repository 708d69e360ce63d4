#include "runner.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

namespace gtr::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kMostTimes = 10;  // a slow case ends at this multiple of the seconds asked for

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

}  // namespace

void check(gtr_status status) {
  if (status != GTR_OK) {
    std::fprintf(stderr, "gtr-bench: %s\n", gtr_last_error());
    std::exit(1);
  }
}

Runner::Runner(const Options& options, Report& report, int32_t tier, int32_t threads)
    : options_(options), report_(report), tier_(tier), threads_(threads), peak_(measure_peak(tier, threads)) {
  gtr_device_options device_options{};
  device_options.backend = GTR_BACKEND_CPU;
  device_options.threads = threads;
  device_options.tier = tier;
  check(gtr_device_open(&device_options, &device_));
  check(gtr_stream_create(device_, nullptr, &stream_));
}

Runner::~Runner() {
  gtr_stream_destroy(stream_);
  gtr_device_close(device_);
}

bool Runner::wants(const Case& c) const {
  const std::string text = std::string(c.operation) + (c.precision == GTR_PRECISION_F32 ? " f32 " : " bf16 ") + c.name;
  return text.find(options_.filter) != std::string::npos;
}

void Runner::measure(const Case& c, const std::function<void(int64_t)>& run) {
  if (!wants(c)) {
    return;
  }
  run(0);  // warms up: pages, threads, branch predictors, frequency
  std::vector<double> seconds;
  const auto start = Clock::now();
  for (int64_t i = 1;; ++i) {
    const auto before = Clock::now();
    run(i);
    seconds.push_back(seconds_since(before));
    const double total = seconds_since(start);
    const bool enough = static_cast<int64_t>(seconds.size()) >= options_.repetitions && total >= options_.seconds;
    if (enough || total >= kMostTimes * options_.seconds) {
      break;
    }
  }
  add(c, std::move(seconds));
}

void Runner::add(const Case& c, std::vector<double> seconds) {
  if (!wants(c)) {
    return;
  }
  std::sort(seconds.begin(), seconds.end());
  const bool f32 = c.precision == GTR_PRECISION_F32;
  report_.add({c.operation, c.name, tier_name(tier_), f32 ? "f32" : "bf16", threads_, c.flops, c.bytes,
               f32 ? peak_.f32_flops : peak_.bf16_flops, peak_.read_bytes, std::move(seconds)});
}

}  // namespace gtr::bench
