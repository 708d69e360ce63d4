// One evaluation of the head, rows with any mixture of base steps.
#include <algorithm>

#include "head_network.h"

namespace gtr::cuda {
namespace {

// Rows at a time: enough for the products to be bound by arithmetic, few enough for modulations to take little memory.
constexpr int64_t kRowsAtOnce = 1024;

struct Layout {
  HeadTimes times;
  float* conditions;  // [capacity, w]
  HeadModulations modulations;
  HeadPass pass;
  float* stream;  // [capacity, w]
  float* normed;  // [capacity, w], of the final layer
  void* linear_scratch;
};

Layout place(HeadScratch& scratch, const Head& head, int64_t rows) noexcept {
  const int64_t capacity = std::min(rows, kRowsAtOnce);
  Layout layout{};
  layout.times = HeadTimes::place(scratch, head, capacity);
  layout.conditions = scratch.take<float>(capacity * head.shape.width);
  layout.modulations = HeadModulations::place(scratch, head, capacity);
  layout.pass = HeadPass::place(scratch, head, capacity);
  layout.stream = scratch.take<float>(capacity * head.shape.width);
  layout.normed = scratch.take<float>(capacity * head.shape.width);
  layout.linear_scratch = scratch.take_bytes(head_linear_scratch_size(head, capacity));
  return layout;
}

}  // namespace

int64_t head_forward_scratch_size(const Head& head, int64_t rows) noexcept {
  HeadScratch scratch(nullptr);
  place(scratch, head, rows);
  return scratch.size();
}

// Which base steps are equal is not known here, so each row's is embedded. A row whose t is not allowed becomes NaN.
void head_forward(Context& context, const Head& head, const gtr_tensor& x, const gtr_tensor& t, const gtr_tensor& z,
                  const gtr_tensor& out, void* scratch) noexcept {
  HeadScratch carver(scratch);
  const Layout layout = place(carver, head, x.shape[0]);
  const int64_t width = head.shape.width;
  for (int64_t first = 0; first < x.shape[0]; first += kRowsAtOnce) {
    const int64_t rows = std::min(kRowsAtOnce, x.shape[0] - first);
    const auto* steps = static_cast<const int32_t*>(t.data) + first * t.stride[0];
    layout.times.embed(context, head, steps, t.stride[0], first, rows, layout.linear_scratch);
    linear(context, head.layer(HeadLayer::kConditionEmbed), GTR_ACTIVATION_NONE, row_range(z, first, rows), nullptr,
           nullptr, matrix_view(layout.conditions, GTR_F32, rows, width, width), layout.linear_scratch);
    layout.modulations.compute(context, head, rows, layout.times.embedded, nullptr, layout.conditions, nullptr,
                               layout.linear_scratch);
    const gtr_tensor stream = matrix_view(layout.stream, GTR_F32, rows, width, width);
    linear(context, head.layer(HeadLayer::kInputProjection), GTR_ACTIVATION_NONE, row_range(x, first, rows), nullptr,
           nullptr, stream, layout.linear_scratch);
    layout.pass.run(context, head, rows, layout.stream, layout.modulations, 0, layout.linear_scratch);
    const gtr_tensor shift = matrix_view(layout.modulations.last, GTR_F32, rows, width, 2 * width);
    const gtr_tensor scale = matrix_view(layout.modulations.last + width, GTR_F32, rows, width, 2 * width);
    const gtr_tensor normed = matrix_view(layout.normed, GTR_F32, rows, width, width);
    layer_norm(context, stream, nullptr, nullptr, &scale, &shift, kHeadNormEpsilon, normed);
    linear(context, head.layer(HeadLayer::kFinalLinear), GTR_ACTIVATION_NONE, normed, nullptr, nullptr,
           row_range(out, first, rows), layout.linear_scratch);
  }
}

}  // namespace gtr::cuda
