#include "runner.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "card_peak.h"

namespace gtr::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kMostTimes = 10;  // a slow case ends at this multiple of the seconds asked for

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

}  // namespace

Runner::Runner(const Options& options, Report& report, int32_t tier, int32_t threads)
    : options_(options),
      report_(&report),
      tier_(tier_name(tier)),
      threads_(threads),
      peak_(measure_peak(tier, threads)) {
  gtr_device_options device_options{};
  device_options.backend = GTR_BACKEND_CPU;
  device_options.threads = threads;
  device_options.tier = tier;
  open(device_options, nullptr);
}

Runner::Runner(const Options& options, Report& report, Card& card)
    : options_(options), report_(&report), tier_(target_name(options.target)), card_(&card) {
  gtr_device_options device_options{};
  device_options.backend = GTR_BACKEND_CUDA;
  device_options.index = options.device;
  open(device_options, card.stream());
  peak_ = measure_card_peak(card, device(), stream(), options.target == Target::kCudaEmulator);
}

Runner::Runner(const Options& options) : options_(options) {}

std::vector<Model> Runner::models() const {
  if (options_.small) {
    return {std::begin(kSmallModels), std::end(kSmallModels)};
  }
  return {std::begin(kModels), std::end(kModels)};
}

bool Runner::matches(const Case& c, const char* suffix) const {
  const std::string text =
      std::string(c.operation) + (c.precision == GTR_PRECISION_F32 ? " f32 " : " bf16 ") + c.name + suffix;
  return text.find(options_.filter) != std::string::npos;
}

bool Runner::wants(const Case& c) const {
  const bool on_card = card_ != nullptr && c.depends_on_cache;
  const bool wanted = on_card ? matches(c, ", cold") || matches(c, ", warm") : matches(c, "");
  if (wanted && options_.list) {
    std::printf("%s\t%s\t%s\t%s\n", c.operation, c.precision == GTR_PRECISION_F32 ? "f32" : "bf16", c.name.c_str(),
                c.shape.c_str());
  }
  return wanted && !options_.list;
}

void Runner::measure(const Case& c, const std::function<void(int64_t)>& run) {
  if (card_ == nullptr) {
    if (wants(c)) {
      add(c, measure_on_host(run));
    }
    return;
  }
  for (const Card::Cache cache : {Card::Cache::kCold, Card::Cache::kWarm}) {
    const char* suffix = !c.depends_on_cache ? "" : cache == Card::Cache::kCold ? ", cold" : ", warm";
    if (!matches(c, suffix) || (!c.depends_on_cache && cache == Card::Cache::kWarm)) {
      continue;
    }
    Case named = c;
    named.name += suffix;
    std::vector<double> seconds = card_->measure(cache, options_.repetitions, options_.seconds, run);
    check(gtr_stream_synchronize(stream()));  // what the kernels found wrong
    add(named, std::move(seconds));
  }
}

std::vector<double> Runner::measure_on_host(const std::function<void(int64_t)>& run) {
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
  std::sort(seconds.begin(), seconds.end());
  return seconds;
}

void Runner::add(const Case& c, std::vector<double> seconds) {
  if (!matches(c, "")) {
    return;
  }
  const bool f32 = c.precision == GTR_PRECISION_F32;
  report_->add({c.operation, c.name, tier_, f32 ? "f32" : "bf16", threads_, c.flops, c.bytes,
                f32 ? peak_.f32_flops : peak_.bf16_flops, card_ == nullptr ? peak_.read_bytes : peak_.copy_bytes,
                std::move(seconds), c.shape});
}

}  // namespace gtr::bench
