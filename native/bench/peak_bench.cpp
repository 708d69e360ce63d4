// The measured peaks themselves, as cases of the table.
#include "runner.h"

namespace gtr::bench {

void bench_peak(Runner& runner) {
  const Peak& peak = runner.peak();
  const auto add = [&](const char* name, gtr_precision precision, double flops, double bytes) {
    const Case c{"peak", name, precision, flops, bytes, "", false};
    if (runner.wants(c)) {
      runner.add(c, {1.0});
    }
  };
  add("multiply-add on registers", GTR_PRECISION_F32, peak.f32_flops, 0);
  add("multiply-add on registers", GTR_PRECISION_BF16, peak.bf16_flops, 0);
  add("read from memory", GTR_PRECISION_F32, 0, peak.read_bytes);
  if (runner.is_of_card()) {
    add("copy within memory, read and written", GTR_PRECISION_F32, 0, peak.copy_bytes);
  } else {
    add("multiply-add, operands from the second-level cache", GTR_PRECISION_BF16, peak.cached_bf16_flops, 0);
    add("multiply-add beside a softmax, heads of 64", GTR_PRECISION_BF16, peak.attention_64_flops, 0);
    add("multiply-add beside a softmax, heads of 80", GTR_PRECISION_BF16, peak.attention_80_flops, 0);
    add("read 3.5 MB again, each thread its part", GTR_PRECISION_F32, 0, peak.matrix_bytes);
    add("read 25 MB again, each thread its part", GTR_PRECISION_F32, 0, peak.head_bytes);
  }
}

}  // namespace gtr::bench
