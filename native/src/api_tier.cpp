// Instruction-set tiers of the CPU backend.
#include "check.h"
#include "tier_detection.h"

using namespace gtr;

gtr_status gtr_cpu_tier_available(int32_t tier, int32_t* available) {
  Check check("gtr_cpu_tier_available");
  check.range("tier", tier, GTR_TIER_SCALAR, GTR_TIER_AVX512_BF16);
  check.not_null("available", available);
  if (!check.ok()) return check.status();
  *available = cpu::tier_available(static_cast<cpu::Tier>(tier)) ? 1 : 0;
  return GTR_OK;
}
