// The calling thread's last error.
#pragma once

#include "gtr/gtr.h"

namespace gtr {

// Records the message "<operation>: <text>" with the argument's name ("" if none is to blame) for the calling thread
// and returns status. Text is cut at 1000 characters; nothing is allocated. Never called on success.
gtr_status fail(gtr_status status, const char* operation, const char* argument, const char* format, ...) noexcept
    __attribute__((format(printf, 4, 5)));

}  // namespace gtr
