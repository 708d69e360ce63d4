// Looking for the library of the CUDA backend: what is said of each way in which there is none. The registry looks once
// in the life of a process, so every case has a process of its own.
#include "registry.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "expect.h"
#include "gtr/gtr.h"

namespace gtr::test {
namespace {

// Runs body in a child, whose failures become one of this process.
template <typename Body>
void in_own_process(const char* library, Body&& body) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    failures = expectations = 0;
    library == nullptr ? unsetenv("GTR_CUDA_LIBRARY") : setenv("GTR_CUDA_LIBRARY", library, 1);
    body();
    std::fflush(stdout);
    _exit(failures == 0 && expectations > 0 ? 0 : 1);
  }
  int status = -1;
  EXPECT(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void expect_absent(const char* library, const char* first_part, const char* second_part) {
  in_own_process(library, [&] {
    int32_t count = -1;
    char detail[512] = "";
    EXPECT_OK(gtr_device_count(GTR_BACKEND_CUDA, &count, detail, sizeof detail));
    EXPECT(count == 0);
    if (!EXPECT(std::strstr(detail, first_part) != nullptr && std::strstr(detail, second_part) != nullptr)) {
      std::printf("  it says: %s\n", detail);
    }
    gtr_device* device = nullptr;
    gtr_device_options options = {GTR_BACKEND_CUDA, 0, 0, 0};
    EXPECT_REFUSED(gtr_device_open(&options, &device), GTR_ERROR_NO_DEVICE, "gtr_device_open", "options.backend",
                   first_part);
    // The CPU is there all the same, and auto says why it was taken.
    options.backend = GTR_BACKEND_AUTO;
    EXPECT_OK(gtr_device_open(&options, &device));
    gtr_device_info info = {};
    EXPECT_OK(gtr_device_get_info(device, &info));
    if (!EXPECT(info.backend == GTR_BACKEND_CPU && std::strstr(info.reason, first_part) != nullptr)) {
      std::printf("  the reason is: %s\n", info.reason);
    }
    EXPECT_OK(gtr_device_close(device));
  });
}

// Whoever comes first looks; everybody gets the same answer.
void many_threads() {
  in_own_process(GTR_TEST_OTHER_VERSION, [] {
    std::vector<std::thread> threads;
    std::vector<BackendEntry> found(8);
    for (BackendEntry& entry : found) threads.emplace_back([&entry] { entry = find_backend(GTR_BACKEND_CUDA); });
    for (std::thread& thread : threads) thread.join();
    for (const BackendEntry& entry : found) {
      EXPECT(entry.backend == nullptr && entry.absent == found[0].absent && entry.absent != nullptr);
    }
  });
}

}  // namespace
}  // namespace gtr::test

int main() {
  using namespace gtr::test;
  // This test holds libgtr's code itself, so that beside it means beside the test.
  expect_absent(nullptr, "libgtr_cuda.so.", "is not beside libgtr; the classifier linux-x86_64-gpu brings it");
  expect_absent("", "libgtr_cuda.so.", "is not beside libgtr");
  expect_absent("/nowhere/libgtr_cuda.so", "there is no file \"/nowhere/libgtr_cuda.so\"", "GTR_CUDA_LIBRARY names");
  expect_absent(GTR_TEST_TEXT, "cannot be loaded: ", "ELF");
  expect_absent(GTR_TEST_NOTHING, "is no backend of gtr4j", "lacks the function gtr_backend_plugin");
  expect_absent(GTR_TEST_OTHER_VERSION, "is of gtr4j 9.8.7+other (interface ", "both must come from one build");
  many_threads();
  return result();
}
