#include "harness/options.h"

#include <cstdio>
#include <cstdlib>

#include "gtr/gtr.h"
#include "harness/target.h"

namespace gtr::test {
namespace {

constexpr char kUsage[] =
    "usage: gtr-test-ops [--backend cpu|cuda|cuda-emu] [--tier auto|scalar|avx2|avx512|avx512bf16|amxbf16]\n"
    "                    [--op NAME]... [--case TEXT]\n"
    "                    [--golden FOLDER] [--model FILE] [--list] [--verbose] [--stop]\n"
    "Runs the operation cases on one backend and tier through the C ABI.\n"
    "  --backend    cuda-emu: the sources of the CUDA backend on the CPU, see cuda/emu/README.md\n"
    "  --op NAME    only this operation; may be given again\n"
    "  --case TEXT  only cases whose name contains TEXT\n"
    "  --golden     folder of tiny_cases.safetensors and its siblings\n"
    "  --model      fashion_mar.safetensors\n"
    "  --list       print operations and cases and run nothing\n"
    "  --verbose    print every case with its time\n"
    "  --stop       end with the first case that fails\n"
    "Exit code: 0 all passed, 1 a case failed, 2 wrong usage, 77 skipped since this machine lacks the backend or "
    "tier.\n";

}  // namespace

bool parse_options(int argc, char** argv, Options* options, int* exit_code) {
  options->backend = GTR_BACKEND_CPU;
  options->tier = GTR_TIER_AUTO;
  options->golden_folder = GTR_TEST_GOLDEN_FOLDER;
  options->model_file = GTR_TEST_MODEL_FILE;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--help") {
      std::fputs(kUsage, stdout);
      *exit_code = 0;
      return false;
    }
    if (option == "--list") {
      options->list = true;
      continue;
    }
    if (option == "--stop") {
      options->stop = true;
      continue;
    }
    if (option == "--verbose") {
      options->verbose = true;
      continue;
    }
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    bool good = !value.empty();
    if (option == "--backend") {
      options->backend = value == "cpu" ? GTR_BACKEND_CPU : GTR_BACKEND_CUDA;
      good = value == "cpu" || value == "cuda";
#ifdef GTR_TEST_CUDA_EMULATOR
      if (value == "cuda-emu") {
        good = options->emulated = true;
        // Looked at when libgtr loads the backend.
        setenv("GTR_CUDA_LIBRARY", GTR_TEST_CUDA_EMULATOR, 1);
      }
#endif
    } else if (option == "--tier") {
      options->tier = tier_of(value);
      good = options->tier >= 0;
    } else if (option == "--op") {
      options->operations.push_back(value);
    } else if (option == "--case") {
      options->case_part = value;
    } else if (option == "--golden") {
      options->golden_folder = value;
    } else if (option == "--model") {
      options->model_file = value;
    } else {
      good = false;
    }
    if (!good) {
      std::fprintf(stderr, "gtr-test-ops: cannot use '%s %s'\n%s", option.c_str(), value.c_str(), kUsage);
      *exit_code = 2;
      return false;
    }
    ++i;
  }
  return true;
}

}  // namespace gtr::test
