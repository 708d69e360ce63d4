// What libgtr_bench measures, and what it refuses. No rate is looked at but for being one.
#include "gtr_bench.h"

#include <cmath>
#include <cstdio>
#include <initializer_list>

#include "gtr/gtr.h"

namespace {

int failures = 0;

void expect(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "failed: %s (%s)\n", what, gtr_bench_last_error());
    ++failures;
  }
}

}  // namespace

int main() {
  gtr_bench_peak peak{};
  expect(gtr_bench_measure_peak(GTR_TIER_SCALAR, 2, &peak) == 0, "peaks are measured");
  expect(
      peak.f32_flops > 0 && peak.bf16_flops > 0 && peak.read_bytes > 0 && peak.matrix_bytes > 0 && peak.head_bytes > 0,
      "peaks are numbers");
  expect(peak.cached_bf16_flops == peak.bf16_flops && peak.attention_64_flops == peak.bf16_flops &&
             peak.attention_80_flops == peak.bf16_flops,
         "only tiles have ceilings of their own");
  int32_t has_amx = 0;
  expect(gtr_cpu_tier_available(GTR_TIER_AMX_BF16, &has_amx) == GTR_OK, "the tier is asked for");
  if (has_amx != 0) {
    expect(gtr_bench_measure_peak(GTR_TIER_AMX_BF16, 1, &peak) == 0, "peaks of tiles are measured");
    for (const double flops : {peak.cached_bf16_flops, peak.attention_64_flops, peak.attention_80_flops}) {
      expect(flops > 0 && flops != peak.bf16_flops, "peaks of tiles are numbers");
    }
  }
  expect(gtr_bench_measure_peak(99, 1, &peak) != 0, "an unknown tier is refused");
  expect(gtr_bench_measure_peak(GTR_TIER_SCALAR, 0, &peak) != 0, "no thread is refused");
  return failures == 0 ? 0 : 1;
}
