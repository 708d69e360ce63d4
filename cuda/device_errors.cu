#include "device_errors.h"

#include <cstdio>
#include <iterator>

#include "call_log.h"
#include "errors.h"

namespace gtr::cuda {
namespace {

// What the CPU backend calls them (native/cpu/backend.cpp, content_checks.cpp).
struct ArrayName {
  const char* operation;
  const char* argument;
  const char* limit;  // what sets it, "" if gtr.h does
};
constexpr char kChain[] = "gtr_head_chain";
constexpr char kStep[] = "gtr_head_step";
constexpr ArrayName kNames[] = {
    {"", "", ""},
    {"gtr_attention", "query_lengths", "the query length"},
    {"gtr_attention", "key_lengths", "the key length"},
    {"gtr_embed", "index", "rows of second and first"},
    {"gtr_embed", "position_index", "rows of position"},
    {"gtr_gather", "index", "rows of x"},
    {"gtr_scatter", "index", "rows of y"},
    {"gtr_head_forward", "t", ""},
    {kChain, "chain.place", "rows of x"},
    {kChain, "chain.place", ""},
    {kChain, "chain.cfg", ""},
    {kChain, "chain.temperature", ""},
};
static_assert(std::size(kNames) == static_cast<size_t>(Checked::kChainTemperature) + 1, "a name for every array");

bool is_factor(Checked array) noexcept { return array == Checked::kChainCfg || array == Checked::kChainTemperature; }

}  // namespace

gtr_status take_finding(DeviceErrors& errors, const CallLog& calls) noexcept {
  const DeviceErrors found = errors;
  if (found.array == 0) return GTR_OK;
  errors = {};
  const auto array = static_cast<Checked>(found.array);
  if (found.array < 0 || array > Checked::kChainTemperature) {
    return fail(GTR_ERROR_INTERNAL, "gtr_stream_synchronize", "", "a kernel reported array %d, which does not exist",
                found.array);
  }
  const ArrayName& name = kNames[found.array];
  // Single steps check the chain that they are a part of.
  const bool by_step = name.operation == kChain && calls.has(kStep) && !calls.has(kChain);
  const char* operation = by_step ? kStep : name.operation;
  const auto index = static_cast<long long>(found.index);
  if (array == Checked::kChainPlaceTwice) {
    return fail(GTR_ERROR_INVALID_ARGUMENT, operation, name.argument,
                "%s holds %.0f more than once; allowed are distinct places", name.argument, found.value);
  }
  if (is_factor(array)) {
    return fail(GTR_ERROR_INVALID_ARGUMENT, operation, name.argument,
                "%s[%lld] is %g; allowed are finite numbers from 0", name.argument, index, found.value);
  }
  const bool limited = name.limit[0] != '\0';
  char allowed[48] = "none";
  if (found.lowest <= found.highest) {
    std::snprintf(allowed, sizeof allowed, "%lld to %lld", static_cast<long long>(found.lowest),
                  static_cast<long long>(found.highest));
  }
  return fail(GTR_ERROR_INVALID_ARGUMENT, operation, name.argument, "%s[%lld] is %.0f; allowed are %s%s%s%s",
              name.argument, index, found.value, allowed, limited ? " (" : "", name.limit, limited ? ")" : "");
}

}  // namespace gtr::cuda
