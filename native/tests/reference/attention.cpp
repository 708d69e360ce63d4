#include "reference/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "harness/bfloat16.h"

namespace gtr::test::reference {

Values attention(const AttentionShape& shape, double scale, const Values& q, const Values& k, const Values& v,
                 gtr_precision precision, const std::vector<int64_t>& key_lengths, const Values& mask) {
  const auto round = [&](double value) { return precision == GTR_PRECISION_BF16 ? round_to_bfloat16(value) : value; };
  Values out(q.size());
  Values weights(static_cast<size_t>(shape.key_length));
  std::vector<bool> attended(static_cast<size_t>(shape.key_length));
  for (int64_t b = 0; b < shape.batch; ++b) {
    const int64_t keys = key_lengths.empty() ? shape.key_length : key_lengths[static_cast<size_t>(b)];
    for (int64_t h = 0; h < shape.heads; ++h) {
      const auto key_at = [&](int64_t j) {
        return static_cast<size_t>(((b * shape.key_length + j) * shape.heads + h) * shape.head_dim);
      };
      for (int64_t i = 0; i < shape.query_length; ++i) {
        const auto query = static_cast<size_t>(((b * shape.query_length + i) * shape.heads + h) * shape.head_dim);
        double highest = -std::numeric_limits<double>::infinity();
        for (int64_t j = 0; j < keys; ++j) {
          const auto at = static_cast<size_t>(j);
          const auto in_mask =
              static_cast<size_t>(((b * shape.heads + h) * shape.query_length + i) * shape.key_length + j);
          attended[at] = mask.empty() || mask[in_mask] != 0;
          if (!attended[at]) continue;
          double score = 0;
          for (size_t d = 0; d < static_cast<size_t>(shape.head_dim); ++d) {
            score += round(q[query + d]) * round(k[key_at(j) + d]);
          }
          weights[at] = score * scale;
          highest = std::max(highest, weights[at]);
        }
        double sum = 0;
        for (size_t j = 0; j < static_cast<size_t>(keys); ++j) {
          weights[j] = attended[j] ? std::exp(weights[j] - highest) : 0;
          sum += weights[j];
        }
        for (size_t d = 0; d < static_cast<size_t>(shape.head_dim); ++d) {
          double value = 0;
          for (int64_t j = 0; j < keys; ++j) {
            const auto at = static_cast<size_t>(j);
            if (attended[at]) value += weights[at] * round(v[key_at(j) + d]);
          }
          out[query + d] = sum > 0 ? value / sum : 0;
        }
      }
    }
  }
  return out;
}

}  // namespace gtr::test::reference
