// The command line of gtr-test-ops.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gtr::test {

struct Options {
  int32_t backend;
  int32_t tier;
  bool emulated = false;                // the backend is the emulator, which every machine has
  std::vector<std::string> operations;  // empty: all
  std::string case_part;                // only cases whose name contains it
  std::string golden_folder;
  std::string model_file;
  bool list = false;
  bool verbose = false;
  bool stop = false;
};

// Prints what is wrong, or the help, and returns false if the program should exit with *exit_code.
bool parse_options(int argc, char** argv, Options* options, int* exit_code);

}  // namespace gtr::test
