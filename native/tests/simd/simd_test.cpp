// Runs one tier's checks if this machine has the tier, else exits with 77 (skipped). Compiled for the baseline.
#include "simd_test.h"

#include <cstdio>

#include "gtr/gtr.h"

int main() {
  int32_t available = 0;
  if (gtr_cpu_tier_available(GTR_TEST_TIER, &available) != GTR_OK) {
    std::fprintf(stderr, "%s\n", gtr_last_error());
    return 1;
  }
  if (!available) {
    std::printf("skipped: this machine cannot run the tier\n");
    return 77;
  }
  const int failures = gtr::test::check_simd();
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
