// Per image the rows with the highest scores.
#include <algorithm>
#include <cmath>

#include "operations.h"
#include "pool.h"

namespace gtr::cpu {

// An order of rows and a mark for each; segments use the parts that belong to their rows.
int64_t top_fraction_scratch_size(int64_t rows) noexcept {
  return rows * static_cast<int64_t>(sizeof(int32_t) + sizeof(bool));
}

gtr_status top_fraction(const Context& context, const gtr_tensor& score, const gtr_tensor& cell,
                        const gtr_segment* segments, int64_t segment_count, const gtr_tensor& place,
                        void* scratch) noexcept {
  int32_t* const order = static_cast<int32_t*>(scratch);
  bool* const chosen = reinterpret_cast<bool*>(order + score.shape[0]);
  const auto score_at = [&](int32_t r) { return static_cast<const float*>(score.data)[r * score.stride[0]]; };
  const auto cell_at = [&](int32_t r) { return static_cast<const uint32_t*>(cell.data)[r * cell.stride[0]]; };
  const auto put = [&](int64_t at, int32_t r) { static_cast<int32_t*>(place.data)[at * place.stride[0]] = r; };
  // A strict weak order also with NaN, which all rank together below everything else.
  const auto ranks_before = [&](int32_t a, int32_t b) {
    const float score_a = score_at(a);
    const float score_b = score_at(b);
    const bool nan_a = std::isnan(score_a);
    const bool nan_b = std::isnan(score_b);
    if (nan_a != nan_b) return nan_b;
    if (!nan_a && score_a != score_b) return score_a > score_b;
    const uint32_t cell_a = cell_at(a);
    const uint32_t cell_b = cell_at(b);
    return cell_a != cell_b ? cell_a < cell_b : a < b;
  };

  context.pool->parallel_for(segment_count, [&](int64_t s) {
    const gtr_segment& segment = segments[s];
    if (segment.count == 0) return;
    int32_t* const rows = order + segment.first;
    for (int32_t i = 0; i < segment.count; ++i) {
      rows[i] = segment.first + i;
      chosen[segment.first + i] = false;
    }
    if (segment.selected < segment.count) {
      std::nth_element(rows, rows + segment.selected, rows + segment.count, ranks_before);
    }
    for (int32_t i = 0; i < segment.selected; ++i) chosen[rows[i]] = true;
    int64_t selected_at = segment.selected_at;
    int64_t rest_at = segment.rest_at;
    for (int32_t r = segment.first; r < segment.first + segment.count; ++r) {
      put(chosen[r] ? selected_at++ : rest_at++, r);
    }
  });
  return GTR_OK;
}

}  // namespace gtr::cpu
