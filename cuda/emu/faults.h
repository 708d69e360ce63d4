// Failures on request, for tests. Exported by libgtr_cuda_emu.so; also switched on by the environment, see README.md.
#pragma once

#include <cstdint>
#include <string>

extern "C" {
// The nth kernel from now (1 = the next one) that executes fails, and the device is lost. 0 switches it off.
__attribute__((visibility("default"))) void gtr_emu_fail_launch(int64_t nth);
// The nth allocation of device or pinned memory from now fails once. 0 switches it off.
__attribute__((visibility("default"))) void gtr_emu_fail_allocation(int64_t nth);
// What the last failure of a kernel said, or "". On the thread that waited for it.
__attribute__((visibility("default"))) const char* gtr_emu_last_failure();
// Kernels that were executed so far.
__attribute__((visibility("default"))) int64_t gtr_emu_launches();
}

namespace gtr::cuda::emu {

// Called once per kernel and allocation. True if this is the one.
bool launch_must_fail();
bool allocation_must_fail();
// On stderr and for gtr_emu_last_failure.
void report_failure(const std::string& what);

}  // namespace gtr::cuda::emu
