// One evaluation of the head, rows with any mixture of base steps.
#include <algorithm>

#include "head_network.h"

namespace gtr::cpu {
namespace {

constexpr char kOperation[] = "gtr_head_forward";

// Rows at a time: enough for the products to be bound by arithmetic, few enough for modulations to take little memory.
constexpr int64_t kRowsAtOnce = 256;

struct Layout {
  HeadTimes times;
  float* conditions;  // [capacity, w]
  HeadModulations modulations;
  HeadPass pass;
  void* linear_scratch;
};

Layout place(HeadScratch& scratch, const Head& head, int64_t rows) noexcept {
  const int64_t capacity = std::min(rows, kRowsAtOnce);
  Layout layout{};
  layout.times = HeadTimes::place(scratch, head, std::min<int64_t>(capacity, kBaseSteps));
  layout.conditions = scratch.take<float>(capacity * head.shape.width);
  layout.modulations = HeadModulations::place(scratch, head, capacity);
  layout.pass = HeadPass::place(scratch, head, capacity);
  layout.linear_scratch = scratch.take_bytes(head_linear_scratch_size(head, capacity));
  return layout;
}

// `rows` rows of a matrix from `first` on.
gtr_tensor row_range(const gtr_tensor& matrix, int64_t first, int64_t rows) noexcept {
  const float* data = static_cast<const float*>(matrix.data) + first * matrix.stride[0];
  return matrix_view(data, GTR_F32, rows, matrix.shape[1], matrix.stride[0]);
}

}  // namespace

int64_t head_forward_scratch_size(const Head& head, int64_t rows) noexcept {
  HeadScratch scratch(nullptr);
  place(scratch, head, rows);
  return scratch.size();
}

gtr_status head_forward(const Context& context, const Head& head, const gtr_tensor& x, const gtr_tensor& t,
                        const gtr_tensor& z, const gtr_tensor& out, void* scratch) noexcept {
  HeadScratch carver(scratch);
  Layout layout = place(carver, head, x.shape[0]);
  const int64_t width = head.shape.width;
  for (int64_t first = 0; first < x.shape[0]; first += kRowsAtOnce) {
    const int64_t rows = std::min(kRowsAtOnce, x.shape[0] - first);
    layout.times.clear();
    for (int64_t r = 0; r < rows; ++r) {
      const int32_t step = static_cast<const int32_t*>(t.data)[(first + r) * t.stride[0]];
      layout.times.add(step);
      layout.modulations.time_row[r] = layout.times.row_of_step[step];
      layout.modulations.condition_row[r] = static_cast<int32_t>(r);
    }
    gtr_status status = layout.times.embed(context, head, layout.linear_scratch);
    if (status == GTR_OK) {
      status =
          linear(context, head.layer(HeadLayer::kConditionEmbed), GTR_ACTIVATION_NONE, row_range(z, first, rows),
                 nullptr, nullptr, matrix_view(layout.conditions, GTR_F32, rows, width, width), layout.linear_scratch);
    }
    if (status == GTR_OK) {
      status = layout.modulations.compute(context, head, kOperation, rows, layout.times.embedded, layout.conditions,
                                          layout.linear_scratch);
    }
    if (status == GTR_OK) {
      status =
          linear(context, head.layer(HeadLayer::kInputProjection), GTR_ACTIVATION_NONE, row_range(x, first, rows),
                 nullptr, nullptr, matrix_view(layout.pass.stream, GTR_F32, rows, width, width), layout.linear_scratch);
    }
    if (status == GTR_OK) {
      status = layout.pass.run(context, head, kOperation, rows, layout.modulations, 0, row_range(out, first, rows),
                               layout.linear_scratch);
    }
    if (status != GTR_OK) return status;
  }
  return GTR_OK;
}

}  // namespace gtr::cpu
