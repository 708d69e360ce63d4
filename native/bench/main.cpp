// gtr-bench: see kUsage in options.cpp.
#include <cstdio>
#include <string>

#include "gtr/gtr.h"
#include "options.h"
#include "report.h"
#include "runner.h"

namespace gtr::bench {
namespace {

constexpr Benchmark kBenchmarks[] = {bench_peak,       bench_linear,           bench_attention, bench_head,
                                     bench_layer_norm, bench_frequency_energy, bench_image};

void run_all(Runner& runner) {
  for (const Benchmark benchmark : kBenchmarks) {
    benchmark(runner);
  }
}

// The processor or card as the library describes it.
gtr_device_info describe(gtr_backend backend, int32_t index) {
  gtr_device_options options{};
  options.backend = backend;
  options.index = index;
  gtr_device* device = nullptr;
  check(gtr_device_open(&options, &device));
  gtr_device_info info{};
  check(gtr_device_get_info(device, &info));
  check(gtr_device_close(device));
  return info;
}

void run_cpu(Options& options) {
  const gtr_device_info processor = describe(GTR_BACKEND_CPU, 0);
  if (options.threads.empty()) {
    options.threads.push_back(1);
    if (processor.threads > 1) {
      options.threads.push_back(processor.threads);
    }
  }
  if (options.tiers.empty()) {
    for (int32_t tier = GTR_TIER_SCALAR; tier <= GTR_TIER_AMX_BF16; ++tier) {
      int32_t available = 0;
      check(gtr_cpu_tier_available(tier, &available));
      if (available != 0) {
        options.tiers.push_back(tier);
      }
    }
  }
  Report report(options.format, stdout, {gtr_version(), processor.name});
  for (const int32_t tier : options.tiers) {
    for (const int32_t threads : options.threads) {
      Runner runner(options, report, tier, threads);
      run_all(runner);
    }
  }
  report.finish();
}

void run_card(const Options& options) {
  Card card(options.target, options.device, options.small);
  Report report(options.format, stdout, {gtr_version(), describe(GTR_BACKEND_CUDA, options.device).name});
  Runner runner(options, report, card);
  run_all(runner);
  report.finish();
}

void list(const Options& options) {
  Runner runner(options);
  run_all(runner);
}

}  // namespace
}  // namespace gtr::bench

int main(int count, char** arguments) {
  using namespace gtr::bench;
  Options options;
  std::string mistake;
  if (!parse(count, arguments, &options, &mistake)) {
    std::fprintf(stderr, "gtr-bench: %s\n", mistake.c_str());
    return 2;
  }
  if (options.help) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  try {
    if (options.list) {
      list(options);
    } else if (options.target == Target::kCpu) {
      run_cpu(options);
    } else {
      run_card(options);
    }
  } catch (const Failure& failure) {
    std::fprintf(stderr, "gtr-bench: %s\n", failure.what());
    return 1;
  }
  return 0;
}
