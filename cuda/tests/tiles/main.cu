// gtr-test-tiles: each function of device.h, which is all that kernels know of the machine, against its documentation,
// lane by lane. On a card it finds out whether the card does what the emulator does, before anything else is tried; on
// the emulator it is a test of the emulator.
#include "check.h"

namespace gtr::cuda::tiles {
namespace {

constexpr int64_t kPrinted = 5;  // failures of a function
int64_t all_failures = 0;

std::string text(double value) {
  char result[64];
  std::snprintf(result, sizeof result, "%.9g", value);
  return result;
}

}  // namespace

int64_t failures() { return all_failures; }

Check::~Check() {
  std::printf("%s %s: %lld values\n", failed_ == 0 ? "passed" : "FAILED", function_, static_cast<long long>(compared_));
  // A check of nothing must not pass.
  all_failures += compared_ == 0 ? 1 : failed_;
}

void Check::fail(int64_t index, const std::string& found, const std::string& expected) {
  if (failed_++ < kPrinted) {
    std::printf("  %s, value %lld: %s instead of %s\n", function_, static_cast<long long>(index), found.c_str(),
                expected.c_str());
  }
}

void Check::bits(int64_t index, uint32_t found, uint32_t expected) {
  ++compared_;
  if (found == expected) return;
  char texts[2][16];
  std::snprintf(texts[0], sizeof texts[0], "0x%08x", found);
  std::snprintf(texts[1], sizeof texts[1], "0x%08x", expected);
  fail(index, texts[0], texts[1]);
}

void Check::close(int64_t index, double found, double expected, double absolute, double relative) {
  ++compared_;
  const bool both_nan = std::isnan(found) && std::isnan(expected);
  const bool equal = found == expected;
  const bool near = std::isfinite(expected) && std::abs(found - expected) <= absolute + relative * std::abs(expected);
  if (!both_nan && !equal && !near) fail(index, text(found), text(expected));
}

std::vector<float> special_floats() {
  std::vector<float> values;
  // Every exponent, with significands on and beside the borders of rounding to 8 bits, both signs.
  for (uint32_t exponent = 0; exponent < 256; ++exponent) {
    for (const uint32_t significand : {0x000000u, 0x000001u, 0x007fffu, 0x008000u, 0x008001u, 0x010000u, 0x017fffu,
                                       0x018000u, 0x018001u, 0x3fffffu, 0x400000u, 0x7f7fffu, 0x7f8000u, 0x7fffffu}) {
      for (const uint32_t sign : {0u, 0x80000000u}) values.push_back(float_of(sign | exponent << 23 | significand));
    }
  }
  std::mt19937 random(1);
  for (int i = 0; i < 4096; ++i) values.push_back(float_of(static_cast<uint32_t>(random())));
  return values;
}

}  // namespace gtr::cuda::tiles

int main() {
  using namespace gtr::cuda::tiles;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  check_multiply();
  check_group_multiply();
  check_load_matrix();
  check_warp();
  check_conversions();
  check_arithmetic();
  check_copies();
  check_memory();
  check_launches();
  const long long failed = failures();
  if (failed == 0) {
    std::printf("passed\n");
  } else {
    std::printf("FAILED: %lld values\n", failed);
  }
  return failed == 0 ? 0 : 1;
}
