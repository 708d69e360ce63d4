// Runs the blocks of one launch.
#pragma once

#include <string>

#include "device.h"

namespace gtr::cuda::emu {

// Runs it to its end, on the calling thread; one caller at a time. Empty, or what went wrong: a deadlock, or a use that
// device.h does not allow.
std::string run_grid(const Launch& launch);

// "attention_kernel<64>" for messages.
std::string kernel_name(const Launch& launch);

}  // namespace gtr::cuda::emu
