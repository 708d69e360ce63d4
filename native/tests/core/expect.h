// Expectations of the core tests: a failed one prints where and what, and makes the program end with status 1.
#pragma once

#include <cstdio>
#include <cstring>

#include "gtr/gtr.h"

namespace gtr::test {

inline int failures = 0;
inline int expectations = 0;

inline bool expect(bool condition, const char* text, const char* file, int line) {
  ++expectations;
  if (!condition) {
    ++failures;
    std::printf("%s:%d: expected %s\n", file, line, text);
  }
  return condition;
}

// The status is as expected; what the library said is printed if not.
inline bool expect_status(gtr_status status, gtr_status expected, const char* file, int line) {
  ++expectations;
  if (status == expected) return true;
  ++failures;
  std::printf("%s:%d: expected %s, got %s (last error: %s)\n", file, line, gtr_status_name(expected),
              gtr_status_name(status), gtr_last_error());
  return false;
}

// The call was refused: status, operation, argument, and a message of one line which starts with the operation and
// contains `text`.
inline void expect_refused(gtr_status status, gtr_status expected, const char* operation, const char* argument,
                           const char* text, const char* file, int line) {
  if (!expect_status(status, expected, file, line)) return;
  const char* message = gtr_last_error();
  const size_t length = std::strlen(operation);
  const bool good = std::strcmp(gtr_last_error_operation(), operation) == 0 &&
                    std::strcmp(gtr_last_error_argument(), argument) == 0 &&
                    std::strncmp(message, operation, length) == 0 && std::strncmp(message + length, ": ", 2) == 0 &&
                    std::strstr(message, text) != nullptr && std::strchr(message, '\n') == nullptr;
  ++expectations;
  if (!good) {
    ++failures;
    std::printf("%s:%d: expected operation %s, argument %s, \"%s\"; got operation %s, argument %s, \"%s\"\n", file,
                line, operation, argument, text, gtr_last_error_operation(), gtr_last_error_argument(), message);
  }
}

// For the end of main.
inline int result() {
  std::printf("%d expectations, %d failed\n", expectations, failures);
  return failures == 0 && expectations > 0 ? 0 : 1;
}

}  // namespace gtr::test

#define EXPECT(condition) ::gtr::test::expect((condition), #condition, __FILE__, __LINE__)
#define EXPECT_OK(call) ::gtr::test::expect_status((call), GTR_OK, __FILE__, __LINE__)
#define EXPECT_STATUS(call, status) ::gtr::test::expect_status((call), (status), __FILE__, __LINE__)
#define EXPECT_REFUSED(call, status, operation, argument, text) \
  ::gtr::test::expect_refused((call), (status), (operation), (argument), (text), __FILE__, __LINE__)
