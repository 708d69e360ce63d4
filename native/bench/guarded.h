// How functions of a C ABI tell of what was thrown behind them.
#pragma once

#include <cstdint>
#include <exception>
#include <string>

namespace gtr::bench {

// Of the thread's last call that returned -1.
inline thread_local std::string last_error;

// 0, or -1 and the message is left.
template <typename Body>
int32_t guarded(const Body& body) noexcept {
  try {
    body();
    return 0;
  } catch (const std::exception& e) {
    last_error = e.what();
    return -1;
  }
}

}  // namespace gtr::bench
