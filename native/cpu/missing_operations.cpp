// Temporary: weak definitions of operations that are still being written, so that everything else links. Deleted when
// the last of them has landed.
#include "errors.h"
#include "operations.h"

#define GTR_WEAK __attribute__((weak))

namespace gtr::cpu {
namespace {
gtr_status missing(const char* operation) noexcept {
  return fail(GTR_ERROR_UNSUPPORTED, operation, "", "not written yet");
}
}  // namespace

GTR_WEAK int64_t frequency_energy_scratch_size(Tier, int, int64_t, int64_t) noexcept { return 0; }
GTR_WEAK gtr_status frequency_energy(const Context&, const gtr_tensor&, const gtr_tensor&, void*) noexcept {
  return missing("gtr_frequency_energy");
}
GTR_WEAK gtr_status head_create(DeviceMemory&, Tier, const gtr_head_shape&, gtr_precision, Head**) noexcept {
  return missing("gtr_head_create");
}
GTR_WEAK void head_destroy(Head*) noexcept {}
GTR_WEAK void head_set(Head&, const char*, int64_t, const gtr_tensor&) noexcept {}
GTR_WEAK const char* head_missing(const Head&) noexcept { return nullptr; }
GTR_WEAK int64_t head_forward_scratch_size(const Head&, int64_t) noexcept { return 0; }
GTR_WEAK gtr_status head_forward(const Context&, const Head&, const gtr_tensor&, const gtr_tensor&, const gtr_tensor&,
                                 const gtr_tensor&, void*) noexcept {
  return missing("gtr_head_forward");
}
GTR_WEAK int64_t head_chain_scratch_size(const Head&, const gtr_chain&) noexcept { return 0; }
GTR_WEAK gtr_status head_chain(const Context&, const Head&, const gtr_chain&, const gtr_tensor&, void*) noexcept {
  return missing("gtr_head_chain");
}
GTR_WEAK gtr_status head_step(const Context&, const Head&, const gtr_chain&, int32_t, const gtr_tensor&,
                              void*) noexcept {
  return missing("gtr_head_step");
}

}  // namespace gtr::cpu
