#include "harness/crash_report.h"

#include <csignal>
#include <cstring>

#include <unistd.h>

namespace gtr::test {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
char running_case[512];
struct sigaction earlier[std::size(kSignals)];

void report(int signal) {
  // Only what is safe in a signal handler.
  constexpr char kText[] = "CRASHED (memory outside of a buffer, if signal 11 or 7) in ";
  const auto written = write(STDERR_FILENO, kText, sizeof kText - 1) +
                       write(STDERR_FILENO, running_case, std::strlen(running_case)) + write(STDERR_FILENO, "\n", 1);
  static_cast<void>(written);
  // Returning meets the fault again, and then whoever would have handled it without us does.
  for (size_t i = 0; i < std::size(kSignals); ++i) {
    if (kSignals[i] == signal) sigaction(signal, &earlier[i], nullptr);
  }
  if (signal == SIGABRT) raise(signal);
}

}  // namespace

void install_crash_report() {
  struct sigaction action {};
  action.sa_handler = report;
  for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &action, &earlier[i]);
}

void set_running_case(const std::string& name) { std::strncpy(running_case, name.c_str(), sizeof running_case - 1); }

}  // namespace gtr::test
