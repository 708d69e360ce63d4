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
                                   {GTR_TIER_AVX512_BF16, "avx512bf16"}};

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
    if (value != "md" && value != "csv" && value != "json") {
      *mistake = "-o: '" + value + "' is not md, csv or json";
      return false;
    }
    options->format = value == "md" ? Format::kMarkdown : value == "csv" ? Format::kCsv : Format::kJson;
  } else if (option == "--tier") {
    for (const std::string& part : split_at_commas(value)) {
      const size_t before = options->tiers.size();
      for (const TierName& known : kTierNames) {
        if (part == known.name) {
          options->tiers.push_back(known.tier);
        }
      }
      if (options->tiers.size() == before) {
        *mistake = "--tier: '" + part + "' is not scalar, avx2, avx512 or avx512bf16";
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
    "gtr-bench [-o md|csv|json] [--tier NAME,...] [--threads N,...] [--filter TEXT] [--repetitions N] [--seconds S]\n"
    "\n"
    "Measures the CPU backend's operations beside what the tier's instructions and the memory reach at most here.\n"
    "\n"
    "  -o             output format (md)\n"
    "  --tier         scalar, avx2, avx512, avx512bf16 (all that this machine has)\n"
    "  --threads      threads per call (1, and as many as the library would take)\n"
    "  --filter       only cases whose \"operation precision case\" contains the text, such as 'linear bf16 MAR-L'\n"
    "  --repetitions  measurements per case at least (15)\n"
    "  --seconds      seconds per case at least (0.3)\n"
    "\n"
    "The time is the median, the spread half the distance between the quartiles. 'cold' cases go round through more\n"
    "copies of the weights than the caches hold, as the layers of a model do.\n";

const char* tier_name(int32_t tier) {
  for (const TierName& known : kTierNames) {
    if (known.tier == tier) {
      return known.name;
    }
  }
  return nullptr;
}

bool parse(int count, char** arguments, Options* options, std::string* mistake) {
  for (int i = 1; i < count; ++i) {
    const std::string option = arguments[i];
    if (option == "-h" || option == "--help") {
      options->help = true;
      return true;
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
  return true;
}

}  // namespace gtr::bench
