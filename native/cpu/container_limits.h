// What this process may use of the machine: its affinity mask and the limits of its control groups (a container's).
#pragma once

#include <cstdint>

namespace gtr::cpu {

struct CpuAllowance {
  int affinity;         // processors in the affinity mask, at least 1
  int64_t quota_milli;  // thousandths of a processor that the control groups allow; 0: no limit

  // Threads that can run at once: the affinity, or the quota rounded up if that is less.
  int threads() const noexcept;
};

// root: "" outside tests; stands before /proc and the mount points of the control groups.
CpuAllowance cpu_allowance(const char* root) noexcept;

// Bytes of memory: the machine's, or the control groups' limit if that is less.
int64_t memory_allowance(const char* root) noexcept;

}  // namespace gtr::cpu
