// What the environment asks of the emulator; README.md lists the variables. Read once.
#pragma once

#include <cstdint>
#include <string>

namespace gtr::cuda::emu {

constexpr int kCudaVersion = 13000;  // of the runtime

enum class Order { kForward, kReverse, kShuffled };

struct Settings {
  Order order = Order::kForward;
  uint64_t seed = 0;          // of kShuffled
  bool protect = true;        // device memory cannot be touched while nothing executes
  int driver = kCudaVersion;  // version of CUDA that it knows; 0: as if there were no driver
  int devices = 1;            // 0 or 1
  int multiprocessors = 4;
  int64_t shared_bytes = 227 << 10;  // that a block can ask for
  int64_t memory_bytes = int64_t{16} << 30;
  int compute_capability = 90;
  int64_t fail_launch = 0;      // as gtr_emu_fail_launch
  int64_t fail_allocation = 0;  // as gtr_emu_fail_allocation
  std::string remove;           // a site whose waiting call does nothing, "file.cu:12"
  std::string sites;            // file to which the sites that were reached are appended
};

const Settings& settings();

}  // namespace gtr::cuda::emu
