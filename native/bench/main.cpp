// gtr-bench: see kUsage in options.cpp.
#include <cstdio>
#include <string>

#include "gtr/gtr.h"
#include "options.h"
#include "report.h"
#include "runner.h"

namespace {

constexpr gtr::bench::Benchmark kBenchmarks[] = {gtr::bench::bench_peak,       gtr::bench::bench_linear,
                                                 gtr::bench::bench_attention,  gtr::bench::bench_head,
                                                 gtr::bench::bench_layer_norm, gtr::bench::bench_frequency_energy};

// The processor's name, and the number of threads that the library takes of its own accord.
std::string describe_cpu(int32_t* threads) {
  gtr_device_options options{};
  options.backend = GTR_BACKEND_CPU;
  gtr_device* device = nullptr;
  gtr::bench::check(gtr_device_open(&options, &device));
  gtr_device_info info{};
  gtr::bench::check(gtr_device_get_info(device, &info));
  gtr::bench::check(gtr_device_close(device));
  *threads = info.threads;
  return info.name;
}

}  // namespace

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
  int32_t threads = 1;
  const std::string processor = describe_cpu(&threads);
  if (options.threads.empty()) {
    options.threads.push_back(1);
    if (threads > 1) {
      options.threads.push_back(threads);
    }
  }
  if (options.tiers.empty()) {
    for (int32_t tier = GTR_TIER_SCALAR; tier <= GTR_TIER_AVX512_BF16; ++tier) {
      int32_t available = 0;
      check(gtr_cpu_tier_available(tier, &available));
      if (available != 0) {
        options.tiers.push_back(tier);
      }
    }
  }
  Report report(options.format, stdout, {gtr_version(), processor});
  for (const int32_t tier : options.tiers) {
    for (const int32_t n : options.threads) {
      Runner runner(options, report, tier, n);
      for (const Benchmark benchmark : kBenchmarks) {
        benchmark(runner);
      }
    }
  }
  report.finish();
  return 0;
}
