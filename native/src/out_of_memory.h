// The message of an allocation that failed.
#pragma once

#include "gtr/gtr.h"
#include "handles.h"

namespace gtr {

// Records "no memory for <what>; the device holds .. bytes", and what is free where the backend knows it.
gtr_status fail_out_of_memory(const gtr_device& device, const char* operation, const char* argument, const char* format,
                              ...) noexcept __attribute__((format(printf, 4, 5)));

}  // namespace gtr
