// Both parts of libgtr_bench, and what they refuse. No time is looked at but for being one.
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

void images_of(int32_t precision) {
  gtr_bench_images* images = nullptr;
  expect(gtr_bench_images_create("small", precision, 2, 1, &images) == 0, "images are made");
  double seconds[3] = {NAN, NAN, NAN};
  expect(gtr_bench_images_run(images, seconds) == 0, "images are sampled");
  expect(seconds[1] > 0 && seconds[2] > 0 && std::fabs(seconds[1] + seconds[2] - seconds[0]) < 1e-6,
         "both parts take time and make up the whole");
  expect(gtr_bench_images_destroy(images) == 0, "images are destroyed");
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
  images_of(GTR_PRECISION_F32);
  images_of(GTR_PRECISION_BF16);
  gtr_bench_images* images = nullptr;
  expect(gtr_bench_images_create("MAR-X", GTR_PRECISION_F32, 1, 1, &images) != 0, "an unknown model is refused");
  expect(gtr_bench_images_create("small", GTR_PRECISION_F32, 0, 1, &images) != 0, "no image is refused");
  expect(images == nullptr, "a refusal leaves nothing");
  return failures == 0 ? 0 : 1;
}
