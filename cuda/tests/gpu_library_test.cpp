// libgtr finds the library that nvcc built beside itself, and that loads on any machine: without a driver it says so.
#include <cstdlib>
#include <cstring>

#include "expect.h"
#include "gtr/gtr.h"

int main() {
  using namespace gtr::test;
  unsetenv("GTR_CUDA_LIBRARY");
  int32_t count = -1;
  char detail[512] = "";
  EXPECT_OK(gtr_device_count(GTR_BACKEND_CUDA, &count, detail, sizeof detail));
  std::printf("%s\n", detail);
  gtr_device_options options = {GTR_BACKEND_CUDA, 0, 0, 0};
  gtr_device* device = nullptr;
  if (count == 0) {
    EXPECT(std::strncmp(detail, "no cuda device: ", 16) == 0);
    EXPECT_REFUSED(gtr_device_open(&options, &device), GTR_ERROR_NO_DEVICE, "gtr_device_open", "options.backend",
                   detail);
    EXPECT(device == nullptr);
    options.backend = GTR_BACKEND_AUTO;
    EXPECT_OK(gtr_device_open(&options, &device));
    gtr_device_info info = {};
    EXPECT_OK(gtr_device_get_info(device, &info));
    EXPECT(info.backend == GTR_BACKEND_CPU && std::strstr(info.reason, "; so auto chose cpu: ") != nullptr);
  } else {
    EXPECT(count > 0 && std::strstr(detail, " cuda device") != nullptr);
    EXPECT_OK(gtr_device_open(&options, &device));
    gtr_device_info info = {};
    EXPECT_OK(gtr_device_get_info(device, &info));
    EXPECT(info.backend == GTR_BACKEND_CUDA && info.memory_total > 0 && info.name[0] != '\0');
  }
  EXPECT_OK(gtr_device_close(device));
  return result();
}
