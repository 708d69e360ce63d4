#include "harness/target.h"

#include <cstring>

namespace gtr::test {

void require_ok(gtr_status status, const char* what) {
  if (status != GTR_OK) throw Failure(std::string(what) + ": " + gtr_status_name(status) + ": " + gtr_last_error());
}

Target::Target(int32_t backend, int32_t tier, int32_t threads) {
  gtr_device_options options{};
  options.backend = backend;
  options.tier = tier;
  options.threads = threads;
  require_ok(gtr_device_open(&options, &device_), "gtr_device_open");
  try {
    require_ok(gtr_device_get_info(device_, &info_), "gtr_device_get_info");
    require_ok(gtr_stream_create(device_, nullptr, &stream_), "gtr_stream_create");
    require_ok(gtr_stream_create(device_, nullptr, &copies_), "gtr_stream_create");
  } catch (...) {
    gtr_stream_destroy(stream_);
    gtr_device_close(device_);
    throw;
  }
}

Target::~Target() {
  gtr_stream_destroy(copies_);
  gtr_stream_destroy(stream_);
  gtr_device_close(device_);
}

bool Target::is_emulated() const { return std::strcmp(info_.name, "gtr4j emulator") == 0; }

void Target::wait_for_copies() const { require_ok(gtr_stream_synchronize(copies_), "gtr_stream_synchronize"); }

gtr_memory_stats Target::memory() const {
  gtr_memory_stats stats{};
  require_ok(gtr_memory_get_stats(device_, &stats), "gtr_memory_get_stats");
  return stats;
}

const char* tier_name(int32_t tier) {
  switch (tier) {
    case GTR_TIER_AUTO:
      return "auto";
    case GTR_TIER_SCALAR:
      return "scalar";
    case GTR_TIER_AVX2:
      return "avx2";
    case GTR_TIER_AVX512:
      return "avx512";
    case GTR_TIER_AVX512_BF16:
      return "avx512bf16";
    case GTR_TIER_AMX_BF16:
      return "amxbf16";
  }
  return nullptr;
}

int32_t tier_of(const std::string& name) {
  for (int32_t tier = GTR_TIER_AUTO; tier_name(tier); ++tier) {
    if (name == tier_name(tier)) return tier;
  }
  return -1;
}

}  // namespace gtr::test
