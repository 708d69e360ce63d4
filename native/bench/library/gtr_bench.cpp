#include "gtr_bench.h"

#include <exception>
#include <string>

#include "peak.h"
#include "session.h"

using gtr::bench::Failure;

namespace {

thread_local std::string last_error;

template <typename Body>
int32_t guarded(const Body& body) noexcept {
  try {
    body();
    return 0;
  } catch (const std::exception& e) {
    last_error = e.what();
    return -1;
  }
}

}  // namespace

extern "C" {

const char* gtr_bench_last_error() { return last_error.c_str(); }

int32_t gtr_bench_measure_peak(int32_t tier, int32_t threads, gtr_bench_peak* out) {
  return guarded([&] {
    int32_t available = 0;
    gtr::bench::check(gtr_cpu_tier_available(tier, &available));
    if (available == 0 || threads < 1) {
      throw Failure("this machine has no tier " + std::to_string(tier) + ", or " + std::to_string(threads) +
                    " threads are not 1 or more");
    }
    const gtr::bench::Peak peak = gtr::bench::measure_peak(tier, threads);
    *out = {peak.f32_flops,          peak.bf16_flops,
            peak.read_bytes,         peak.cached_bf16_flops > 0 ? peak.cached_bf16_flops : peak.bf16_flops,
            peak.matrix_bytes,       peak.head_bytes,
            peak.attention_64_flops, peak.attention_80_flops};
  });
}

}  // extern "C"
