#include "options.h"

#include <cstdlib>

#include "gtr/gtr.h"

namespace gtr::bench {
namespace {

struct TierName {
  int32_t tier;
  const char* name;
};

constexpr TierName kTierNames[] = {{GTR_TIER_SCALAR, "scalar"},
                                   {GTR_TIER_AVX2, "avx2"},
                                   {GTR_TIER_AVX512, "avx512"},
                                   {GTR_TIER_AVX512_BF16, "avx512bf16"},
                                   {GTR_TIER_AMX_BF16, "amxbf16"}};

struct TargetName {
  Target target;
  const char* name;
};

constexpr TargetName kTargetNames[] = {
    {Target::kCpu, "cpu"}, {Target::kCuda, "cuda"}, {Target::kCudaEmulator, "cuda-emu"}};

struct FormatName {
  Format format;
  const char* name;
};

constexpr FormatName kFormatNames[] = {
    {Format::kMarkdown, "md"}, {Format::kCsv, "csv"}, {Format::kTsv, "tsv"}, {Format::kJson, "json"}};

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

bool parse_number(const std::string& text, double low, double high, double* value) {
  char* end = nullptr;
  *value = std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0' && *value >= low && *value <= high;
}

bool parse_whole(const std::string& text, int32_t low, int32_t high, int32_t* value) {
  double number = 0;
  if (!parse_number(text, low, high, &number) || number != static_cast<double>(static_cast<int32_t>(number))) {
    return false;
  }
  *value = static_cast<int32_t>(number);
  return true;
}

bool set(const std::string& option, const std::string& value, Options* options, std::string* mistake) {
  if (option == "-o") {
    for (const FormatName& known : kFormatNames) {
      if (value == known.name) {
        options->format = known.format;
        return true;
      }
    }
    *mistake = "-o: '" + value + "' is not md, csv, tsv or json";
    return false;
  }
  if (option == "--backend") {
    for (const TargetName& known : kTargetNames) {
      if (value == known.name) {
        options->target = known.target;
        return true;
      }
    }
    *mistake = "--backend: '" + value + "' is not cpu, cuda or cuda-emu";
    return false;
  }
  if (option == "--device") {
    if (!parse_whole(value, 0, 1023, &options->device)) {
      *mistake = "--device: '" + value + "' is not a whole number from 0 to 1023";
      return false;
    }
  } else if (option == "--tier") {
    for (const std::string& part : split_at_commas(value)) {
      const size_t before = options->tiers.size();
      for (const TierName& known : kTierNames) {
        if (part == known.name) {
          options->tiers.push_back(known.tier);
        }
      }
      if (options->tiers.size() == before) {
        *mistake = "--tier: '" + part + "' is not scalar, avx2, avx512, avx512bf16 or amxbf16";
        return false;
      }
    }
  } else if (option == "--threads") {
    for (const std::string& part : split_at_commas(value)) {
      int32_t threads = 0;
      if (!parse_whole(part, 1, 1024, &threads)) {
        *mistake = "--threads: '" + part + "' is not a whole number from 1 to 1024";
        return false;
      }
      options->threads.push_back(threads);
    }
  } else if (option == "--filter") {
    options->filter = value;
  } else if (option == "--repetitions") {
    if (!parse_whole(value, 1, 1000000, &options->repetitions)) {
      *mistake = "--repetitions: '" + value + "' is not a whole number from 1 to 1000000";
      return false;
    }
  } else if (option == "--seconds") {
    if (!parse_number(value, 0, 3600, &options->seconds)) {
      *mistake = "--seconds: '" + value + "' is not a number from 0 to 3600";
      return false;
    }
  } else {
    *mistake = "unknown option '" + option + "'; --help lists them";
    return false;
  }
  return true;
}

}  // namespace

const char* const kUsage =
    "gtr-bench [--backend cpu|cuda|cuda-emu] [--device N] [-o md|csv|tsv|json] [--tier NAME,...] [--threads N,...]\n"
    "          [--filter TEXT] [--repetitions N] [--seconds S] [--images] [--small] [--list]\n"
    "\n"
    "Measures a backend's operations beside what the same machine's instructions and memory reach at most.\n"
    "\n"
    "  --backend      cpu; cuda; cuda-emu, which proves that the program works and whose numbers mean nothing (cpu)\n"
    "  --device       which card (0)\n"
    "  -o             output format (md)\n"
    "  --tier         cpu: scalar, avx2, avx512, avx512bf16, amxbf16 (all that this machine has)\n"
    "  --threads      cpu: threads per call (1, and as many as the library would take)\n"
    "  --filter       only cases whose \"operation precision case\" contains the text, such as 'linear bf16 MAR-L'\n"
    "  --repetitions  measurements per case at least (15)\n"
    "  --seconds      seconds per case at least (0.3)\n"
    "  --images       cpu: whole images as well, each of which takes seconds to minutes\n"
    "  --small        shapes of a few tokens in place of those of MAR-B, L and H, for tests of this program\n"
    "  --list         print the cases (operation, precision, case, shape; separated by tabs) and run none\n"
    "\n"
    "The time is the median, the spread half the distance between the quartiles. On the CPU, 'cold' cases go round\n"
    "through more copies of the weights than the caches hold, as the layers of a model do. On a card, times are those\n"
    "between two events on the stream; before a 'cold' run the second-level cache is overwritten, and a 'warm' run\n"
    "follows one of the same case. --small runs the card's list of cases on the CPU, too.\n";

const char* tier_name(int32_t tier) {
  for (const TierName& known : kTierNames) {
    if (known.tier == tier) {
      return known.name;
    }
  }
  return nullptr;
}

const char* target_name(Target target) {
  for (const TargetName& known : kTargetNames) {
    if (known.target == target) {
      return known.name;
    }
  }
  return "";
}

bool parse(int count, char** arguments, Options* options, std::string* mistake) {
  for (int i = 1; i < count; ++i) {
    const std::string option = arguments[i];
    if (option == "-h" || option == "--help") {
      options->help = true;
      return true;
    }
    bool* const flag = option == "--small"    ? &options->small
                       : option == "--images" ? &options->images
                       : option == "--list"   ? &options->list
                                              : nullptr;
    if (flag != nullptr) {
      *flag = true;
      continue;
    }
    if (i + 1 == count) {
      Options ignored;
      if (set(option, "", &ignored, mistake) || mistake->rfind("unknown", 0) != 0) {
        *mistake = option + ": a value is missing";
      }
      return false;
    }
    if (!set(option, arguments[++i], options, mistake)) {
      return false;
    }
  }
  if (options->target != Target::kCpu && (!options->tiers.empty() || !options->threads.empty())) {
    *mistake = std::string(options->tiers.empty() ? "--threads" : "--tier") + ": only of the CPU";
    return false;
  }
  if (options->target != Target::kCpu && options->images) {
    *mistake = "--images: only of the CPU; a card's cases have them";
    return false;
  }
  if (options->target == Target::kCpu && options->device != 0) {
    *mistake = "--device: the CPU has only 0";
    return false;
  }
  return true;
}

}  // namespace gtr::bench
