// Command line of gtr-bench.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "report.h"

namespace gtr::bench {

// What is measured.
enum class Target {
  kCpu,
  kCuda,
  kCudaEmulator,  // the CUDA backend's kernels on the CPU: proves that the program works, its numbers mean nothing
};

struct Options {
  Format format = Format::kMarkdown;
  Target target = Target::kCpu;
  int32_t device = 0;            // index of the card
  bool small = false;            // shapes of a few tokens in place of MAR's
  bool images = false;           // cpu: whole images as well, which take from seconds to minutes each
  bool list = false;             // print the cases and run none
  std::vector<int32_t> tiers;    // gtr_cpu_tier; empty: all that this machine has
  std::vector<int32_t> threads;  // empty: one, and as many as the library would take
  std::string filter;            // only cases whose "operation precision case" contains it
  int32_t repetitions = 15;
  double seconds = 0.3;  // a case repeats until both are reached, and not beyond 10 times the seconds
  bool help = false;
};

// Fills options; on a mistake returns false and one line that says what is allowed.
bool parse(int count, char** arguments, Options* options, std::string* mistake);

extern const char* const kUsage;

// "avx512bf16", "amxbf16"; null if it is no tier.
const char* tier_name(int32_t tier);

// As on the command line: "cpu", "cuda", "cuda-emu".
const char* target_name(Target target);

}  // namespace gtr::bench
