// Runs the blocks of one launch.
#pragma once

#include <string>

#include "device.h"

namespace gtr::cuda::emu {

// Runs it to its end, on the calling thread; one caller at a time. Empty, or what went wrong: a deadlock, or a use that
// device.h does not allow.
std::string run_grid(const Launch& launch);

// Runs the first of its blocks up to where its threads wait for the launches before it, as a card may; run_grid then
// goes on with it. One grid at a time can have begun; another one begins when it is run.
void begin_grid(const Launch& launch);
// After a failure: what has begun is not gone on with.
void forget_begun_grid();

// "attention_kernel<64>" for messages.
std::string kernel_name(const Launch& launch);

}  // namespace gtr::cuda::emu
