// Kernels whose results are known, launched through device.h on the emulator, and uses that it must refuse.
#include "test.h"

namespace gtr::cuda::test {

int failures = 0;

void expect(bool condition, const char* what, const char* file, int line) {
  if (condition) return;
  ++failures;
  std::printf("FAILED %s:%d: %s\n", file, line, what);
}

}  // namespace gtr::cuda::test

int main() {
  using namespace gtr::cuda::test;
  test_blocks();
  test_tiles();
  test_async_copies();
  test_refusals();
  test_streams();
  test_memory();
  std::printf(failures == 0 ? "passed\n" : "FAILED: %d\n", failures);
  return failures == 0 ? 0 : 1;
}
