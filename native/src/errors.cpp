#include "errors.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace gtr {
namespace {

// Plain arrays in thread-local storage: a failed allocation can be reported without allocating.
struct LastError {
  char message[1088];  // operation and text
  char operation[48];
  char argument[48];
};

thread_local LastError last_error;

void copy(char* target, size_t size, const char* source) noexcept { std::snprintf(target, size, "%s", source); }

}  // namespace

gtr_status fail(gtr_status status, const char* operation, const char* argument, const char* format, ...) noexcept {
  char text[1001];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  for (char* c = text; *c != '\0'; ++c) {
    if (static_cast<unsigned char>(*c) < ' ') *c = ' ';  // a name from outside may hold a line break
  }
  copy(last_error.operation, sizeof last_error.operation, operation);
  copy(last_error.argument, sizeof last_error.argument, argument);
  std::snprintf(last_error.message, sizeof last_error.message, "%s: %s", operation, text);
  return status;
}

}  // namespace gtr

const char* gtr_last_error(void) { return gtr::last_error.message; }
const char* gtr_last_error_operation(void) { return gtr::last_error.operation; }
const char* gtr_last_error_argument(void) { return gtr::last_error.argument; }

const char* gtr_status_name(gtr_status status) {
  switch (status) {
    case GTR_OK:
      return "GTR_OK";
    case GTR_ERROR_INVALID_ARGUMENT:
      return "GTR_ERROR_INVALID_ARGUMENT";
    case GTR_ERROR_OUT_OF_MEMORY:
      return "GTR_ERROR_OUT_OF_MEMORY";
    case GTR_ERROR_NO_DEVICE:
      return "GTR_ERROR_NO_DEVICE";
    case GTR_ERROR_UNSUPPORTED:
      return "GTR_ERROR_UNSUPPORTED";
    case GTR_ERROR_CANCELLED:
      return "GTR_ERROR_CANCELLED";
    case GTR_ERROR_BUSY:
      return "GTR_ERROR_BUSY";
    case GTR_ERROR_DEVICE_LOST:
      return "GTR_ERROR_DEVICE_LOST";
    case GTR_ERROR_INTERNAL:
      return "GTR_ERROR_INTERNAL";
  }
  return "unknown status";
}
