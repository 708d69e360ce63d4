// Layer norm: rows in parallel.
#include <algorithm>

#include "layer_norm_rows.h"
#include "operations.h"
#include "pool.h"

namespace gtr::cpu {
namespace {

// Elements that are worth waking a thread for.
constexpr int64_t kElementsPerTask = 16 << 10;

auto rows_of_tier(Tier tier) noexcept {
  switch (tier) {
#if defined(GTR_HAS_TIER_AVX512)
    case Tier::kAvx512:
    case Tier::kAvx512Bf16:
    case Tier::kAmxBf16:
      return avx512::layer_norm_rows;
#endif
#if defined(GTR_HAS_TIER_AVX2)
    case Tier::kAvx2:
      return avx2::layer_norm_rows;
#endif
    default:
      return scalar::layer_norm_rows;
  }
}

}  // namespace

gtr_status layer_norm(const Context& context, const gtr_tensor& x, const gtr_tensor* weight, const gtr_tensor* bias,
                      const gtr_tensor* scale, const gtr_tensor* shift, double epsilon, const gtr_tensor& y) noexcept {
  const LayerNorm arguments{&x, weight, bias, scale, shift, epsilon, &y};
  const auto normalise = rows_of_tier(context.tier);
  const int64_t rows = x.shape[0];
  const int64_t rows_per_task = std::max<int64_t>(1, kElementsPerTask / x.shape[1]);
  context.pool->parallel_for((rows + rows_per_task - 1) / rows_per_task, [&](int64_t task) {
    const int64_t first = task * rows_per_task;
    normalise(arguments, first, std::min(rows_per_task, rows - first));
  });
  return GTR_OK;
}

}  // namespace gtr::cpu
