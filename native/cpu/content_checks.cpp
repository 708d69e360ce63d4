#include "content_checks.h"

#include <algorithm>
#include <cmath>

#include "errors.h"

namespace gtr::cpu {
namespace {

int32_t i32_at(const gtr_tensor& tensor, int64_t i) noexcept {
  return static_cast<const int32_t*>(tensor.data)[i * tensor.stride[0]];
}

bool check_places(const char* operation, const gtr_chain& chain, int64_t rows, int64_t places, void* scratch) noexcept {
  if (chain.place == nullptr) return true;
  if (!check_values(operation, "chain.place", *chain.place, 0, places - 1, "rows of x")) return false;
  bool ascending = true;  // as a planner usually gives them
  for (int64_t r = 1; r < rows && ascending; ++r) ascending = i32_at(*chain.place, r - 1) < i32_at(*chain.place, r);
  if (ascending) return true;
  int32_t* sorted = static_cast<int32_t*>(scratch);
  for (int64_t r = 0; r < rows; ++r) sorted[r] = i32_at(*chain.place, r);
  std::sort(sorted, sorted + rows);
  const int32_t* twice = std::adjacent_find(sorted, sorted + rows);
  if (twice == sorted + rows) return true;
  fail(GTR_ERROR_INVALID_ARGUMENT, operation, "chain.place",
       "chain.place holds %d more than once; allowed are distinct places", *twice);
  return false;
}

bool check_factor(const char* operation, const char* argument, const gtr_tensor& factors, int64_t place) noexcept {
  const float value = static_cast<const float*>(factors.data)[place * factors.stride[0]];
  if (std::isfinite(value) && value >= 0) return true;
  fail(GTR_ERROR_INVALID_ARGUMENT, operation, argument, "%s[%lld] is %g; allowed are finite numbers from 0", argument,
       static_cast<long long>(place), static_cast<double>(value));
  return false;
}

}  // namespace

bool check_values(const char* operation, const char* argument, const gtr_tensor& values, int64_t lowest,
                  int64_t highest, const char* meaning) noexcept {
  const int64_t count = values.stride[0] == 0 ? std::min<int64_t>(values.shape[0], 1) : values.shape[0];
  for (int64_t i = 0; i < count; ++i) {
    const int32_t value = i32_at(values, i);
    if (lowest <= value && value <= highest) continue;
    const bool named = meaning[0] != '\0';
    if (highest < lowest) {
      fail(GTR_ERROR_INVALID_ARGUMENT, operation, argument, "%s[%lld] is %d; allowed are none%s%s%s", argument,
           static_cast<long long>(i), value, named ? " (" : "", meaning, named ? ")" : "");
    } else {
      fail(GTR_ERROR_INVALID_ARGUMENT, operation, argument, "%s[%lld] is %d; allowed are %lld to %lld%s%s%s", argument,
           static_cast<long long>(i), value, static_cast<long long>(lowest), static_cast<long long>(highest),
           named ? " (" : "", meaning, named ? ")" : "");
    }
    return false;
  }
  return true;
}

int64_t chain_rows(const gtr_chain& chain) noexcept {
  int64_t rows = 0;
  for (int64_t i = 0; i < chain.group_count; ++i) rows += chain.groups[i].rows;
  return rows;
}

int64_t chain_check_scratch_size(const gtr_chain& chain) noexcept {
  return chain_rows(chain) * static_cast<int64_t>(sizeof(int32_t));
}

bool check_chain_values(const char* operation, const gtr_chain& chain, int64_t places, void* scratch) noexcept {
  if (!check_places(operation, chain, chain_rows(chain), places, scratch)) return false;
  int64_t row = 0;
  for (int64_t i = 0; i < chain.group_count; ++i) {
    const gtr_chain_group& group = chain.groups[i];
    for (const int64_t end = row + group.rows; row < end; ++row) {
      const int64_t place = chain.place == nullptr ? row : i32_at(*chain.place, row);
      if (!check_factor(operation, "chain.temperature", *chain.temperature, place)) return false;
      if (group.guided != 0 && !check_factor(operation, "chain.cfg", *chain.cfg, place)) return false;
    }
  }
  return true;
}

}  // namespace gtr::cpu
