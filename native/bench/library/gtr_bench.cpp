#include "gtr_bench.h"

#include <string>

#include "guarded.h"
#include "peak.h"
#include "session.h"

using gtr::bench::Failure;
using gtr::bench::guarded;

extern "C" {

const char* gtr_bench_last_error() { return gtr::bench::last_error.c_str(); }

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
