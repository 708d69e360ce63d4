// The measured peaks themselves, as cases of the table.
#include "runner.h"

namespace gtr::bench {

void bench_peak(Runner& runner) {
  const Peak& peak = runner.peak();
  runner.add({"peak", "multiply-add on registers", GTR_PRECISION_F32, peak.f32_flops, 0}, {1.0});
  runner.add({"peak", "multiply-add on registers", GTR_PRECISION_BF16, peak.bf16_flops, 0}, {1.0});
  runner.add({"peak", "read from memory", GTR_PRECISION_F32, 0, peak.read_bytes}, {1.0});
}

}  // namespace gtr::bench
