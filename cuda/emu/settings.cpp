#include "settings.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace gtr::cuda::emu {
namespace {

// A setting that cannot be read would quietly test something else.
[[noreturn]] void refuse(const char* name, const char* value, const char* allowed) {
  std::fprintf(stderr, "cuda-emu: %s=%s: allowed is %s\n", name, value, allowed);
  std::abort();
}

int64_t number(const char* name, int64_t otherwise, int64_t lowest, int64_t highest) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return otherwise;
  char* end = nullptr;
  const long long value = std::strtoll(text, &end, 10);
  if (*end != '\0' || value < lowest || value > highest) {
    char allowed[64];
    std::snprintf(allowed, sizeof allowed, "%lld to %lld", static_cast<long long>(lowest),
                  static_cast<long long>(highest));
    refuse(name, text, allowed);
  }
  return value;
}

std::string text(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Settings read() {
  Settings s;
  const std::string order = text("GTR_EMU_ORDER");
  const char kShuffled[] = "shuffled:";
  if (order == "reverse") {
    s.order = Order::kReverse;
  } else if (order.compare(0, std::strlen(kShuffled), kShuffled) == 0) {
    char* end = nullptr;
    s.order = Order::kShuffled;
    s.seed = std::strtoull(order.c_str() + std::strlen(kShuffled), &end, 10);
    if (*end != '\0') refuse("GTR_EMU_ORDER", order.c_str(), "forward, reverse or shuffled:SEED");
  } else if (!order.empty() && order != "forward") {
    refuse("GTR_EMU_ORDER", order.c_str(), "forward, reverse or shuffled:SEED");
  }
  s.protect = number("GTR_EMU_PROTECT", 1, 0, 1) != 0;
  s.driver = static_cast<int>(number("GTR_EMU_DRIVER", s.driver, 0, 99999));
  s.devices = static_cast<int>(number("GTR_EMU_DEVICES", s.devices, 0, 1));
  s.multiprocessors = static_cast<int>(number("GTR_EMU_MULTIPROCESSORS", s.multiprocessors, 1, 1024));
  s.shared_bytes = number("GTR_EMU_SHARED", s.shared_bytes >> 10, 48, 227) << 10;
  s.memory_bytes = number("GTR_EMU_MEMORY", s.memory_bytes >> 20, 1, 1 << 20) << 20;
  s.compute_capability = static_cast<int>(number("GTR_EMU_CAPABILITY", s.compute_capability, 50, 120));
  s.fail_launch = number("GTR_EMU_FAIL_LAUNCH", 0, 0, INT64_MAX);
  s.fail_allocation = number("GTR_EMU_FAIL_ALLOCATION", 0, 0, INT64_MAX);
  s.remove = text("GTR_EMU_REMOVE");
  s.sites = text("GTR_EMU_SITES");
  return s;
}

}  // namespace

const Settings& settings() {
  static const Settings read_once = read();
  return read_once;
}

}  // namespace gtr::cuda::emu
